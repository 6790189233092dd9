import { NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { SentryMetrics } from "../../telemetry/metrics/sentry-metrics.ts";
import type { MetricRegistry } from "../../telemetry/metrics/registry.ts";
import { type AuthorityOptions, openAuthority } from "./authority.ts";
import type { Credentials, CredentialStore } from "./issuer/credential-store.ts";
import { SentryService, type SignRequest, type SignResponse } from "./sentry-service.ts";
import { insecureValidator } from "./validators/insecure.ts";

export interface InProcessSentryOptions extends AuthorityOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricRegistry;
}

/** A sentry for the workloads of one process, without a port: who can call it is trusted. */
export interface InProcessSentry {
  readonly trustAnchorsPem: string;
  /** @throws GrpcError as over gRPC */
  sign(request: SignRequest): Promise<SignResponse>;
  /** Exchanges root and issuer for new ones; certificates from before lead to the old root only. */
  rotate(): Promise<void>;
}

/** Its credentials are generated and kept in memory: they end with the process. */
export async function openInProcessSentry(options: InProcessSentryOptions): Promise<InProcessSentry> {
  const { clock, random, logger } = options;
  const metrics = new SentryMetrics(options.metrics);
  const open = () => openAuthority(memoryStore(), options, { clock, random, logger: logger.scope("dapr.sentry.ca") });
  const service = new SentryService(await open(), {
    validators: new Map([["insecure", insecureValidator]]),
    defaultValidator: "insecure",
    trustDomain: options.trustDomain,
    namespace: options.namespace,
    clusterDomain: options.trustDomain,
    logger: logger.scope("dapr.sentry.server"),
    metrics,
  });
  metrics.issuerExpires(service.authority.expiresMs);
  return {
    get trustAnchorsPem() {
      return service.authority.trustAnchorsPem;
    },
    sign: (request) => service.sign(request, NEVER_CANCELLED),
    rotate: async () => {
      service.authority = await open();
      metrics.issuerChanged();
      metrics.issuerExpires(service.authority.expiresMs);
    },
  };
}

function memoryStore(): CredentialStore {
  let kept: Credentials = { issuer: undefined, jwt: undefined };
  return {
    description: "memory",
    load: () => Promise.resolve(kept),
    save: (credentials) => {
      kept = credentials;
      return Promise.resolve();
    },
  };
}
