import { errorMessage } from "../../kit/error-message.ts";
import type { GrpcServer } from "../../net/grpc/server.ts";
import { type Listener, listen } from "../../net/http/listener.ts";
import { SentryMetrics } from "../../telemetry/metrics/sentry-metrics.ts";
import { listenAddress } from "../shared/listen-address.ts";
import { createRoleFailure } from "../shared/role-failure.ts";
import type { RoleContext, RoleService, StartRole } from "../shared/types.ts";
import { type Authority, openAuthority } from "./authority.ts";
import type { Environment } from "./environment.ts";
import { openEnvironment } from "./open-environment.ts";
import { SENTRY_APP_ID } from "./issuer/generate.ts";
import { CLOSE_GRACE_MS } from "./limits.ts";
import { OidcServer } from "./oidc/oidc-server.ts";
import { OwnCertificate } from "./own-certificate.ts";
import { createSentryServer } from "./sentry-door.ts";
import type { SentryOptions } from "./sentry-options.ts";
import { SentryService } from "./sentry-service.ts";
import { workloadUri } from "./spiffe-names.ts";
import { openValidators, type OpenValidators } from "./validators/open-validators.ts";
import { FileWatch } from "./file-watch.ts";

/** The sentry role: its port for workloads, and the one for OIDC where it is on. */
export function startSentry(options: SentryOptions): StartRole {
  return async (context) => {
    const server = new SentryServer(options, context);
    try {
      await server.start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  };
}

class SentryServer implements RoleService {
  readonly #failure = createRoleFailure();
  readonly failed = this.#failure.failed;
  readonly #options: SentryOptions;
  readonly #context: RoleContext;
  readonly #metrics: SentryMetrics;
  #environment: Environment | undefined;
  #validators: OpenValidators | undefined;
  #service: SentryService | undefined;
  #own: OwnCertificate | undefined;
  #grpc: { readonly server: GrpcServer; readonly listener: Listener } | undefined;
  #oidc: OidcServer | undefined;
  #watch: FileWatch | undefined;

  constructor(options: SentryOptions, context: RoleContext) {
    this.#options = options;
    this.#context = context;
    this.#metrics = new SentryMetrics(context.metrics);
  }

  async start(): Promise<void> {
    const { trustDomain, namespace, oidc } = this.#options;
    const { logger } = this.#context;
    const serverTarget = this.#context.addHealthTarget("sentry-server");
    const oidcTarget = oidc === undefined ? undefined : this.#context.addHealthTarget("oidc-server");
    const environment = await openEnvironment(this.#options, this.#context);
    this.#environment = environment;
    this.#validators = openValidators(
      environment,
      { sentryUri: workloadUri(trustDomain, namespace, SENTRY_APP_ID), trustDomain, namespace },
      this.#context,
    );
    const authority = await this.#openAuthority(true);
    logger.info("CA certificate key pair ready");
    const service = new SentryService(authority, {
      validators: this.#validators.all,
      defaultValidator: environment.configuration.defaultValidator,
      trustDomain,
      namespace,
      clusterDomain: environment.clusterDomain,
      logger: logger.scope("dapr.sentry.server"),
      metrics: this.#metrics,
    });
    this.#service = service;
    await this.#listen(service);
    this.#validators.start((error) => this.#failure.fail(error));
    serverTarget.ready();
    if (oidc === undefined || authority.jwt === undefined) {
      logger.info("OIDC HTTP server is disabled");
      oidcTarget?.ready();
    } else {
      this.#oidc = new OidcServer(oidc, this.#context, this.#options.jwt?.issuer, () => service.authority.jwt);
      this.#oidc.start().then(
        () => oidcTarget?.ready(),
        (error: unknown) => this.#failure.fail(error),
      );
    }
    this.#watchFiles();
  }

  async stop(): Promise<void> {
    this.#watch?.stop();
    this.#own?.stop();
    const grpc = this.#grpc;
    if (grpc !== undefined) {
      this.#context.logger.scope("dapr.sentry.server").info("Shutting down gRPC server");
      await grpc.server.close(CLOSE_GRACE_MS);
      await grpc.listener.close(CLOSE_GRACE_MS);
    }
    await this.#oidc?.stop();
    await this.#validators?.stop();
    await this.#environment?.close();
  }

  async #listen(service: SentryService): Promise<void> {
    const { port, listenAddress: host, trustDomain, namespace } = this.#options;
    const { clock, logger, transport, tracer } = this.#context;
    this.#own = new OwnCertificate({
      authority: () => service.authority,
      trustDomain,
      namespace,
      clock,
      logger: logger.scope("dapr.runtime.security"),
      metrics: this.#metrics,
    });
    await this.#own.renew();
    const server = createSentryServer(service, tracer);
    const listener = await listen(listenAddress(host, port), {
      h2: transport.createServer(server.accept),
      secure: this.#own.server,
    });
    this.#grpc = { server, listener };
    logger.scope("dapr.sentry.server").info(`Running gRPC server on port ${listener.port}`);
  }

  async #openAuthority(mayGenerate: boolean): Promise<Authority> {
    const { trustDomain, namespace, jwt } = this.#options;
    const environment = this.#environment as Environment;
    const { workloadTtlMs, skewMs } = environment.configuration;
    const { clock, random, logger } = this.#context;
    const authority = await openAuthority(
      environment.store,
      {
        trustDomain,
        namespace,
        workloadTtlMs,
        skewMs,
        jwt: jwt === undefined ? undefined : { ...jwt, skewMs },
        mayGenerate,
      },
      { clock, random, logger: logger.scope("dapr.sentry.ca") },
    ).catch((cause: unknown) => {
      throw new Error(`error creating CA: ${errorMessage(cause)}`, { cause });
    });
    if (authority.generated) {
      this.#metrics.issuerChanged();
    }
    this.#metrics.issuerExpires(authority.expiresMs);
    return authority;
  }

  #watchFiles(): void {
    const { credentials, oidc } = this.#options;
    const { clock, logger } = this.#context;
    const paths: readonly (string | undefined)[] = [
      ...Object.values<string>({ ...credentials }),
      oidc?.tls?.certFile,
      oidc?.tls?.keyFile,
    ];
    this.#watch = new FileWatch({
      paths: paths.filter((path): path is string => path !== undefined),
      clock,
      onChange: () => this.#reload(),
    });
    logger.info("Starting watch on filesystem directories for changes of the credentials");
  }

  /**
   * Exchanges what signs, between two requests. Credentials that cannot be used leave what there is in place. None are made:
   * those that are missing are being exchanged, and new ones would be written over the others.
   */
  async #reload(): Promise<void> {
    const { logger } = this.#context;
    this.#metrics.issuerChanged();
    logger.warn("Issuer credentials changed; reloading");
    try {
      const authority = await this.#openAuthority(false);
      (this.#service as SentryService).authority = authority;
      await this.#own?.renew();
      await this.#oidc?.reload();
    } catch (error) {
      logger.error(
        `Changed issuer credentials cannot be used, and those from before stay in use: ${errorMessage(error)}`,
      );
    }
  }
}
