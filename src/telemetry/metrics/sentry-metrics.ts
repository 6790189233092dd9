import { counter, gauge } from "./definition.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter, Gauge } from "./series.ts";

/** Dapr's (`pkg/sentry/monitoring`). */
export const sentryMetrics = {
  received: counter("sentry_cert_sign_request_received_total", "The number of CSRs received.", []),
  signed: counter("sentry_cert_sign_success_total", "The number of certificates issuances that have succeeded.", []),
  failed: counter("sentry_cert_sign_failure_total", "The number of errors occurred when signing the CSR.", ["reason"]),
  serverFailed: counter(
    "sentry_servercert_issue_failed_total",
    "The number of server TLS certificate issuance failures.",
    ["reason"],
  ),
  issuerChanged: counter(
    "sentry_issuercert_changed_total",
    "The number of issuer cert updates, when issuer cert or key is changed",
    [],
  ),
  issuerExpiry: gauge(
    "sentry_issuercert_expiry_timestamp",
    "The unix timestamp, in seconds, when issuer/root cert will expire.",
    [],
  ),
} as const;

/** What the sentry service counts. */
export class SentryMetrics {
  readonly #received: MetricFamily<Counter>;
  readonly #signed: MetricFamily<Counter>;
  readonly #failed: MetricFamily<Counter>;
  readonly #serverFailed: MetricFamily<Counter>;
  readonly #issuerChanged: MetricFamily<Counter>;
  readonly #issuerExpiry: MetricFamily<Gauge>;

  constructor(registry: MetricRegistry) {
    this.#received = registry.counter(sentryMetrics.received);
    this.#signed = registry.counter(sentryMetrics.signed);
    this.#failed = registry.counter(sentryMetrics.failed);
    this.#serverFailed = registry.counter(sentryMetrics.serverFailed);
    this.#issuerChanged = registry.counter(sentryMetrics.issuerChanged);
    this.#issuerExpiry = registry.gauge(sentryMetrics.issuerExpiry);
  }

  requestReceived(): void {
    this.#received.series([]).increment();
  }

  signed(): void {
    this.#signed.series([]).increment();
  }

  signFailed(reason: "sign"): void {
    this.#failed.series([reason]).increment();
  }

  /** The sentry could not renew its own certificate. */
  serverCertificateFailed(reason: "ca_error"): void {
    this.#serverFailed.series([reason]).increment();
  }

  issuerChanged(): void {
    this.#issuerChanged.series([]).increment();
  }

  issuerExpires(atMs: number): void {
    this.#issuerExpiry.series([]).set(Math.floor(atMs / 1000));
  }
}
