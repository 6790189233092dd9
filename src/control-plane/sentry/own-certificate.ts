import { createPublicKey } from "node:crypto";
import { createServer, type Server as TlsServer } from "node:tls";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { SentryMetrics } from "../../telemetry/metrics/sentry-metrics.ts";
import type { Authority } from "./authority.ts";
import { ed25519Key, SENTRY_APP_ID } from "./issuer/generate.ts";
import { privateKeyPem } from "./issuer/pem.ts";
import { HANDSHAKE_TIMEOUT_MS, OWN_RENEWAL_LOOK_MS, OWN_RENEWAL_MS_MIN, OWN_RENEWAL_RETRY_MS } from "./limits.ts";

export interface OwnCertificateOptions {
  /** What signs it, asked for with each renewal. */
  readonly authority: () => Authority;
  readonly trustDomain: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SentryMetrics;
}

/**
 * The sentry's own certificate, which it signs itself, in a TLS server that asks callers for none: they prove themselves
 * with their requests. Renewed when half of what is left of its lifetime has passed.
 */
export class OwnCertificate {
  readonly server: TlsServer;
  readonly #options: OwnCertificateOptions;
  #timer: Timer | undefined;
  #madeMs = 0;
  #renewAtMs = 0;
  #stopped = false;

  constructor(options: OwnCertificateOptions) {
    this.#options = options;
    this.server = createServer({
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      // A ticket would bring a caller back to a certificate that has been exchanged.
      sessionTimeout: 1,
    });
  }

  /** Makes a new one now, and later again. Connections that stand keep theirs. @throws Error when the authority cannot sign */
  async renew(): Promise<void> {
    const { authority, trustDomain, namespace, clock, logger } = this.#options;
    const madeMs = clock.now();
    const key = await ed25519Key();
    const { chainPem, notAfterMs } = await authority().sign(
      { trustDomain, namespace, appId: SENTRY_APP_ID, dnsNames: [] },
      createPublicKey(key),
    );
    if (this.#stopped) {
      return;
    }
    this.server.setSecureContext({ cert: chainPem, key: privateKeyPem(key), minVersion: "TLSv1.2" });
    this.#madeMs = madeMs;
    this.#renewAtMs = madeMs + Math.max(OWN_RENEWAL_MS_MIN, (notAfterMs - madeMs) / 2);
    this.#wait(this.#renewAtMs - madeMs);
    logger.debug(`Own certificate made; it expires on ${new Date(notAfterMs).toISOString()}`);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.server.close();
  }

  #wait(delayMs: number): void {
    // One that a reload has set meanwhile.
    this.#timer?.cancel();
    if (!this.#stopped) {
      this.#timer = this.#options.clock.after(Math.min(delayMs, OWN_RENEWAL_LOOK_MS), () => void this.#look());
    }
  }

  /** A clock that was set back makes it one of the future, which nobody takes. */
  async #look(): Promise<void> {
    const { clock, metrics, logger } = this.#options;
    const nowMs = clock.now();
    if (this.#madeMs <= nowMs && nowMs < this.#renewAtMs) {
      this.#wait(this.#renewAtMs - nowMs);
      return;
    }
    try {
      await this.renew();
    } catch (error) {
      metrics.serverCertificateFailed("ca_error");
      logger.error(
        `Error renewing identity, trying again in ${OWN_RENEWAL_RETRY_MS / 1000} seconds: ${errorMessage(error)}`,
      );
      this.#wait(OWN_RENEWAL_RETRY_MS);
    }
  }
}
