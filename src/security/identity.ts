import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { Cancellation, type CancelSignal } from "../kit/cancel-signal.ts";
import type { Clock, Timer } from "../kit/clock.ts";
import { formatGoDuration } from "../kit/duration.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { SpiffeId } from "../kit/spiffe-id.ts";
import type { MutualTls } from "../net/http/listener.ts";
import { RENEWAL_LOOK_MS, RENEWAL_MS_MIN, RENEWAL_RETRY_MS } from "./limits.ts";
import type { ExpectedPeer } from "./peer-certificate.ts";
import { clientContext, connectPeer, PeerDoor, type TlsMaterial } from "./peer-tls.ts";
import { RefusalLog } from "./refusal-log.ts";
import type { TrustAnchors } from "./trust-anchors.ts";
import { CertificateError, type WorkloadCertificate } from "./workload-certificate.ts";

/** How a gRPC client connects to a peer with mutual TLS; goes into its options as it is. */
export interface PeerConnect {
  readonly scheme: "https";
  /** Makes one connection, with the certificate of that moment. */
  readonly connect: () => Socket;
}

/** Who this process is to its peers, with a certificate that is renewed before it ends. Without one all is plain text. */
export interface WorkloadIdentity {
  readonly id: SpiffeId;
  /** The control plane's trust domain and namespace, which its services have in their ids. */
  readonly controlPlane: { readonly trustDomain: string; readonly namespace: string };
  /**
   * Mutual TLS for one port; its certificate follows renewals.
   *
   * @param expected the only peer that may connect; absent: every workload with a certificate of this authority
   */
  serverTls(expected?: ExpectedPeer): MutualTls;
  /** Mutual TLS to a peer at `host:port`, which must be the expected one. */
  clientTls(address: string, expected: ExpectedPeer): PeerConnect;
  /** Told when certificate or trust anchors have changed: connections made before show an old one. @returns what ends it */
  onRenewal(told: () => void): () => void;
  /** A token that proves the identity to the audience; undefined where the authority gives none for it. */
  jwt(audience: string): string | undefined;
  close(): void;
}

/** Hears how identities come and go; `reason` is Dapr's word. */
export interface IdentityObserver {
  initialized(): void;
  initFailed(reason: string): void;
  renewed(): void;
  renewalFailed(reason: string): void;
}

export interface IdentityPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: IdentityObserver | undefined;
}

/** Where certificates come from. */
export interface CertificateSource {
  request(signal: CancelSignal): Promise<WorkloadCertificate>;
}

/** What an identity is made of. */
export interface IdentityParts {
  readonly source: CertificateSource;
  readonly trustAnchors: TrustAnchors;
  readonly controlPlane: WorkloadIdentity["controlPlane"];
  /** Told of every certificate before it is used, for programs that read it from files. */
  readonly publish?: ((certificate: WorkloadCertificate, trustAnchors: string) => Promise<void>) | undefined;
}

/**
 * Gets the first certificate and keeps it renewed from then on, half-way through its life, as Dapr does.
 *
 * @throws Error "failed to retrieve the initial identity: …"; the signal's reason
 */
export async function openIdentity(
  parts: IdentityParts,
  ports: IdentityPorts,
  signal: CancelSignal,
): Promise<WorkloadIdentity> {
  const { logger, observer } = ports;
  logger.info("Fetching initial identity");
  let first: WorkloadCertificate;
  try {
    first = await parts.source.request(signal);
    checkUsable(first, parts.trustAnchors);
    await parts.publish?.(first, parts.trustAnchors.pem);
  } catch (error) {
    if (signal.aborted) {
      throw signal.reason;
    }
    observer?.initFailed(reasonOf(error));
    throw new Error(`failed to retrieve the initial identity: ${errorMessage(error)}`, { cause: error });
  }
  observer?.initialized();
  logger.info("Security is initialized successfully");
  return new RenewedIdentity(parts, ports, first);
}

class RenewedIdentity implements WorkloadIdentity {
  readonly controlPlane: WorkloadIdentity["controlPlane"];
  readonly #parts: IdentityParts;
  readonly #ports: IdentityPorts;
  readonly #refusals: RefusalLog;
  readonly #doors: PeerDoor[] = [];
  readonly #told = new Set<() => void>();
  readonly #stopped = new Cancellation();
  #certificate: WorkloadCertificate;
  #context: SecureContext;
  #renewAtMs: number;
  #timer: Timer | undefined;

  constructor(parts: IdentityParts, ports: IdentityPorts, first: WorkloadCertificate) {
    this.#parts = parts;
    this.#ports = ports;
    this.controlPlane = parts.controlPlane;
    this.#refusals = new RefusalLog(ports.logger, ports.clock);
    this.#certificate = first;
    this.#context = clientContext(this.#material());
    this.#renewAtMs = renewalTime(first, ports.clock.now());
    parts.trustAnchors.onChange(() => this.#apply());
    ports.logger.info(
      `Starting workload identity expiry watcher; ${lifeOf(first)}, renewal at: ${goTime(this.#renewAtMs)}`,
    );
    this.#wait(this.#renewAtMs - ports.clock.now());
  }

  get id(): SpiffeId {
    return this.#certificate.id;
  }

  serverTls(expected?: ExpectedPeer): MutualTls {
    const door = new PeerDoor(this.#material(), expected, (reason, address) => this.#refusals.refused(reason, address));
    this.#doors.push(door);
    return door;
  }

  clientTls(address: string, expected: ExpectedPeer): PeerConnect {
    return { scheme: "https", connect: () => connectPeer(address, this.#context, expected) };
  }

  onRenewal(told: () => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  jwt(audience: string): string | undefined {
    const { tokensByAudience, token } = this.#certificate;
    const own = tokensByAudience.get(audience);
    if (own !== undefined) {
      return own.token;
    }
    return token?.audiences.includes(audience) === true ? token.token : undefined;
  }

  close(): void {
    this.#stopped.abort(new Error("the identity is not needed any more"));
    this.#timer?.cancel();
    this.#parts.trustAnchors.close();
    this.#told.clear();
  }

  #material(): TlsMaterial {
    return materialOf(this.#certificate, this.#parts.trustAnchors);
  }

  /** New connections are made with what there is now; nobody's call is cut off for it. */
  #apply(): void {
    const material = this.#material();
    this.#context = clientContext(material);
    for (const door of this.#doors) {
      door.renew(material);
    }
    for (const told of this.#told) {
      told();
    }
  }

  #wait(delayMs: number): void {
    const boundedMs = Math.min(Math.max(delayMs, RENEWAL_MS_MIN), RENEWAL_LOOK_MS);
    this.#timer = this.#ports.clock.after(boundedMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const leftMs = this.#renewAtMs - this.#ports.clock.now();
    if (leftMs > 0) {
      this.#wait(leftMs);
      return;
    }
    const nextMs = await this.#renew();
    if (!this.#stopped.aborted) {
      this.#wait(nextMs);
    }
  }

  /** @returns milliseconds until the next look */
  async #renew(): Promise<number> {
    const { clock, logger, observer } = this.#ports;
    logger.info(`Renewing workload identity; ${lifeOf(this.#certificate)}`);
    try {
      const renewed = await this.#parts.source.request(this.#stopped);
      checkUsable(renewed, this.#parts.trustAnchors);
      await this.#parts.publish?.(renewed, this.#parts.trustAnchors.pem);
      this.#certificate = renewed;
      this.#apply();
    } catch (error) {
      if (this.#stopped.aborted) {
        return 0;
      }
      const retryMs = this.#retryMs();
      observer?.renewalFailed(reasonOf(error));
      logger.error(`Error renewing identity, trying again in ${spokenSeconds(retryMs)}: ${errorMessage(error)}`);
      return retryMs;
    }
    observer?.renewed();
    this.#renewAtMs = renewalTime(this.#certificate, clock.now());
    logger.info(
      `Successfully renewed workload identity; ${lifeOf(this.#certificate)}, renewal at: ${goTime(this.#renewAtMs)}`,
    );
    return this.#renewAtMs - clock.now();
  }

  /** Dapr's ten seconds, or less where the certificate would not live through several attempts. */
  #retryMs(): number {
    const leftMs = this.#certificate.notAfterMs - this.#ports.clock.now();
    return Math.max(RENEWAL_MS_MIN, Math.min(RENEWAL_RETRY_MS, Math.floor(leftMs / 4)));
  }
}

function materialOf({ chain, privateKey }: WorkloadCertificate, { pem }: TrustAnchors): TlsMaterial {
  return { own: { chain, privateKey }, trustAnchors: pem };
}

/** @throws Error for a certificate that TLS does not take, as one of another key: the one of before stays in use as a whole */
function checkUsable(certificate: WorkloadCertificate, trustAnchors: TrustAnchors): void {
  clientContext(materialOf(certificate, trustAnchors));
}

/**
 * Half-way through the life of the certificate or of its token, whichever is sooner. An authority dates certificates back
 * for clocks that are behind, often by more than they live from now on: then half of what is left of it. (Dapr asks again
 * without a pause there.)
 */
function renewalTime({ notBeforeMs, notAfterMs, token }: WorkloadCertificate, nowMs: number): number {
  const halfWay = notBeforeMs + (notAfterMs - notBeforeMs) / 2;
  const ofCertificate = halfWay > nowMs ? halfWay : halfOfRest(notAfterMs, nowMs);
  return token === undefined ? ofCertificate : Math.min(ofCertificate, halfOfRest(token.expiresMs, nowMs));
}

/**
 * What has been over for a while when it comes, as when the authority's own certificate is, is like a renewal that failed.
 * What lives for less than a second may just be over.
 */
function halfOfRest(endMs: number, nowMs: number): number {
  return nowMs + (nowMs - endMs > RENEWAL_RETRY_MS ? RENEWAL_RETRY_MS : (endMs - nowMs) / 2);
}

function reasonOf(error: unknown): string {
  return error instanceof CertificateError ? error.reason : "sign";
}

function lifeOf({ notAfterMs, token }: WorkloadCertificate): string {
  const jwt = token === undefined ? "" : `, jwt expires on: ${goTime(token.expiresMs)}`;
  return `cert expires on: ${goTime(notAfterMs)}${jwt}`;
}

/** As Go prints a time in UTC. */
function goTime(ms: number): string {
  const [date = "", time = ""] = new Date(ms).toISOString().split("T");
  return `${date} ${time.replace(/\.?0*Z$/, "")} +0000 UTC`;
}

function spokenSeconds(ms: number): string {
  return ms === RENEWAL_RETRY_MS ? "10 seconds" : formatGoDuration(ms);
}
