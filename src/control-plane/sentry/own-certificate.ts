import { createPublicKey } from "node:crypto";
import { createServer, type Server as TlsServer } from "node:tls";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { SentryMetrics } from "../../telemetry/metrics/sentry-metrics.ts";
import type { Authority } from "./authority.ts";
import { ed25519Key, SENTRY_APP_ID } from "./issuer/generate.ts";
import { privateKeyPem } from "./issuer/pem.ts";
import { HANDSHAKE_TIMEOUT_MS, OWN_RENEWAL_MS_MIN, OWN_RENEWAL_RETRY_MS } from "./limits.ts";

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
    this.#timer?.cancel();
    const key = await ed25519Key();
    const { chainPem, notAfterMs } = await authority().sign(
      { trustDomain, namespace, appId: SENTRY_APP_ID, dnsNames: [] },
      createPublicKey(key),
    );
    if (this.#stopped) {
      return;
    }
    this.server.setSecureContext({ cert: chainPem, key: privateKeyPem(key), minVersion: "TLSv1.2" });
    const lifetimeMs = notAfterMs - clock.now();
    this.#schedule(Math.max(OWN_RENEWAL_MS_MIN, lifetimeMs / 2));
    logger.debug(`Own certificate made; it expires on ${new Date(notAfterMs).toISOString()}`);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.server.close();
  }

  #schedule(delayMs: number): void {
    // Timers longer than this would fire at once.
    const waitMs = Math.min(delayMs, TIMER_MS_MAX);
    // One that a reload has set meanwhile.
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(waitMs, () => void this.#renewLater(delayMs - waitMs));
  }

  async #renewLater(restMs: number): Promise<void> {
    if (restMs > 0) {
      this.#schedule(restMs);
      return;
    }
    try {
      await this.renew();
    } catch (error) {
      this.#options.metrics.serverCertificateFailed("ca_error");
      this.#options.logger.error(
        `Error renewing identity, trying again in ${OWN_RENEWAL_RETRY_MS / 1000} seconds: ${errorMessage(error)}`,
      );
      this.#schedule(OWN_RENEWAL_RETRY_MS);
    }
  }
}

const TIMER_MS_MAX = 24 * 60 * 60 * 1000;
