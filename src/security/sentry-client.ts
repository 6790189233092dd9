import { create } from "@bufbuild/protobuf";
import type { Socket } from "node:net";
import { GRPC_STATUS, goStatusName } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import { methodOf } from "../net/grpc/protobuf.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import type { Transport } from "../net/h2/transport.ts";
import {
  CA,
  type SignCertificateRequest,
  SignCertificateRequestSchema,
  type SignCertificateResponse,
} from "../wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { makeCertificateRequest } from "./certificate-request.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  REACH_RETRY_GROWTH,
  REACH_RETRY_MS,
  REACH_RETRY_MS_MAX,
  REACH_WARNING_MS,
  SIGN_ATTEMPTS_MAX,
  SIGN_RETRY_MS,
  SIGN_TIMEOUT_MS,
} from "./limits.ts";
import type { ExpectedPeer } from "./peer-certificate.ts";
import { clientContext, connectPeer } from "./peer-tls.ts";
import { readSentryToken, type SentryToken } from "./sentry-token.ts";
import type { TrustAnchors } from "./trust-anchors.ts";
import { CertificateError, readCertificate, type WorkloadCertificate } from "./workload-certificate.ts";

/** Whom certificates are asked of, and for whom. */
export interface SentryOptions {
  /** host:port */
  readonly address: string;
  /** Trust domain and namespace of the control plane, by which the sentry is known. */
  readonly controlPlane: { readonly trustDomain: string; readonly namespace: string };
  /** The app id, or what `SENTRY_LOCAL_IDENTITY` says in its place. */
  readonly id: string;
  readonly namespace: string;
  /** Empty: the sentry decides, as for every app. */
  readonly trustDomain: string;
  /** `DAPR_SENTRY_TOKEN_FILE`; undefined: it is not set. */
  readonly tokenFile: string | undefined;
  /** Besides the trust domain, for whom tokens are asked; empty: none. */
  readonly jwtAudiences: readonly string[];
}

export interface SentryPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
}

const signCertificate = methodOf(CA.method.signCertificate);

/** What the authority itself, or the way to it, may get over. */
const PASSING: ReadonlySet<number> = new Set([GRPC_STATUS.UNAVAILABLE, GRPC_STATUS.RESOURCE_EXHAUSTED]);

/** Asks Dapr's certificate authority. Each request has a connection of its own, as in Dapr: they are hours apart. */
export class SentryClient {
  readonly #options: SentryOptions;
  readonly #anchors: TrustAnchors;
  readonly #ports: SentryPorts;
  readonly #sentry: ExpectedPeer;

  constructor(options: SentryOptions, anchors: TrustAnchors, ports: SentryPorts) {
    this.#options = options;
    this.#anchors = anchors;
    this.#ports = ports;
    this.#sentry = { ...options.controlPlane, appId: "dapr-sentry" };
  }

  /**
   * A certificate of a fresh key. Waits for a sentry that cannot be reached, or that is not the right one, as long as it
   * takes.
   *
   * @throws CertificateError for an answer that is a refusal or useless; the signal's reason
   */
  async request(signal: CancelSignal): Promise<WorkloadCertificate> {
    const socket = await this.#reach(signal);
    const client = this.#clientOn(socket);
    try {
      const token = await this.#token();
      const { privateKey, request } = makeCertificateRequest();
      return readCertificate(await this.#sign(client, this.#requestOf(request, token), signal), privateKey);
    } finally {
      await client.close();
      socket.destroy();
    }
  }

  async #reach(signal: CancelSignal): Promise<Socket> {
    const { clock, logger } = this.#ports;
    let delayMs = REACH_RETRY_MS;
    let warnedMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      if (signal.aborted) {
        throw signal.reason;
      }
      try {
        return await this.#connect(signal);
      } catch (error) {
        if (signal.aborted) {
          throw signal.reason;
        }
        if (clock.monotonicMs() - warnedMs >= REACH_WARNING_MS) {
          warnedMs = clock.monotonicMs();
          logger.warn(`waiting for the sentry at ${this.#options.address}: ${errorMessage(error)}`);
        }
      }
      await sleep(clock, delayMs, signal);
      delayMs = Math.min(delayMs * REACH_RETRY_GROWTH, REACH_RETRY_MS_MAX);
    }
  }

  #connect(signal: CancelSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const { address } = this.#options;
      const socket = connectPeer(address, clientContext({ trustAnchors: this.#anchors.pem }), this.#sentry);
      const timer = this.#ports.clock.after(HANDSHAKE_TIMEOUT_MS, () => {
        fail(new Error(`no TLS connection within ${HANDSHAKE_TIMEOUT_MS} ms`));
      });
      const settle = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", onAbort);
      };
      const fail = (error: Error): void => {
        settle();
        socket.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      socket.on("error", fail);
      socket.once("close", () => fail(new Error("the connection was closed during the TLS handshake")));
      socket.once("secureConnect", () => {
        settle();
        resolve(socket);
      });
    });
  }

  /** The first connection is the one that stands; should it be lost between two attempts, it is made anew. */
  #clientOn(socket: Socket): GrpcClient {
    let standing: Socket | undefined = socket;
    const connect = (): Socket => {
      const first = standing;
      standing = undefined;
      const { address } = this.#options;
      return first ?? connectPeer(address, clientContext({ trustAnchors: this.#anchors.pem }), this.#sentry);
    };
    return createGrpcClient(this.#ports.transport, this.#options.address, { scheme: "https", transport: { connect } });
  }

  async #token(): Promise<SentryToken> {
    try {
      return await readSentryToken(this.#options.tokenFile);
    } catch (cause) {
      throw new CertificateError("sentry_token", `error obtaining token: ${errorMessage(cause)}`, { cause });
    }
  }

  #requestOf(request: string, { token, validator }: SentryToken): SignCertificateRequest {
    const { id, namespace, trustDomain, jwtAudiences } = this.#options;
    return create(SignCertificateRequestSchema, {
      id,
      namespace,
      trustDomain,
      token,
      tokenValidator: validator,
      certificateSigningRequest: Buffer.from(request, "latin1"),
      jwtAudiences: [...jwtAudiences],
    });
  }

  async #sign(
    client: GrpcClient,
    request: SignCertificateRequest,
    signal: CancelSignal,
  ): Promise<SignCertificateResponse> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await client.unary(signCertificate, request, { timeoutMs: SIGN_TIMEOUT_MS, signal })).response;
      } catch (error) {
        if (signal.aborted) {
          throw signal.reason;
        }
        if (attempt === SIGN_ATTEMPTS_MAX || !GrpcError.is(error) || !PASSING.has(error.code)) {
          throw new CertificateError("sign", `error from sentry SignCertificate: ${textOf(error)}`, { cause: error });
        }
      }
      await sleep(this.#ports.clock, SIGN_RETRY_MS * attempt, signal);
    }
  }
}

function textOf(error: unknown): string {
  return GrpcError.is(error)
    ? `rpc error: code = ${goStatusName(error.code)} desc = ${error.message}`
    : errorMessage(error);
}
