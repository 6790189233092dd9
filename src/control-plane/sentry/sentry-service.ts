import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { SentryMetrics } from "../../telemetry/metrics/sentry-metrics.ts";
import type { Authority } from "./authority.ts";
import { publicKeyOfRequest } from "./certificate-request.ts";
import { AUDIENCE_LENGTH_MAX, AUDIENCES_MAX, SIGNINGS_MAX } from "./limits.ts";
import { workloadUri } from "./spiffe-names.ts";
import type { CertificateRequest, Validator, ValidatorName } from "./validators/validator.ts";

/** A request as it is served. `unknown` is a validator that there is none of. */
export interface SignRequest extends CertificateRequest {
  /** Undefined: the default. */
  readonly validator: ValidatorName | "unknown" | undefined;
  readonly jwtAudiences: readonly string[];
}

export interface SignResponse {
  /** PEM: the workload's certificate and the issuer's chain. */
  readonly certificatePem: string;
  readonly trustAnchorsPem: string;
  readonly notAfterMs: number;
  readonly jwt: string | undefined;
  readonly jwtByAudience: ReadonlyMap<string, string>;
}

export interface SentryServiceOptions {
  readonly validators: ReadonlyMap<ValidatorName, Validator>;
  /** Undefined: each request must name one. */
  readonly defaultValidator: ValidatorName | undefined;
  /** Of the control plane's own services, which get names in DNS. */
  readonly trustDomain: string;
  readonly namespace: string;
  readonly clusterDomain: string;
  /** Of the scope `dapr.sentry.server`. */
  readonly logger: Logger;
  readonly metrics: SentryMetrics;
}

/** Signs certificates for workloads that prove who they are: Dapr's `CA` service, without its wire. */
export class SentryService {
  /** What signs from now on; exchanged when credentials change. */
  authority: Authority;
  readonly #options: SentryServiceOptions;
  #signing = 0;

  constructor(authority: Authority, options: SentryServiceOptions) {
    this.authority = authority;
    this.#options = options;
  }

  /** @throws GrpcError with Dapr's codes and words */
  async sign(request: SignRequest, signal: CancelSignal): Promise<SignResponse> {
    const { metrics } = this.#options;
    metrics.requestReceived();
    if (this.#signing >= SIGNINGS_MAX) {
      metrics.signFailed("sign");
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `sentry signs at most ${SIGNINGS_MAX} certificates at one time; try again`,
      );
    }
    this.#signing++;
    try {
      const response = await this.#sign(request, signal);
      metrics.signed();
      return response;
    } catch (error) {
      metrics.signFailed("sign");
      throw error;
    } finally {
      this.#signing--;
    }
  }

  async #sign(request: SignRequest, signal: CancelSignal): Promise<SignResponse> {
    const { logger } = this.#options;
    const { namespace, appId } = request;
    const validator = this.#validatorOf(request);
    let trustDomain: string;
    try {
      trustDomain = await validator.validate(request, signal);
    } catch (cause) {
      const why = errorMessage(cause);
      logger.debug(`Failed to validate request for ${namespace}/${appId}: ${why}`);
      throw cause instanceof GrpcError ? cause : failure(GRPC_STATUS.PERMISSION_DENIED, why, cause);
    }
    checkAudiences(request.jwtAudiences);
    const publicKey = await publicKeyOfRequest(request.csr);
    const { authority } = this;
    const dnsNames = trustDomain === this.#options.trustDomain ? this.#dnsNames(namespace, appId) : [];
    const signed = await authority
      .sign({ trustDomain, namespace, appId, dnsNames }, publicKey)
      .catch((cause: unknown) => {
        logger.error(`Error signing identity: ${errorMessage(cause)}`);
        throw failure(GRPC_STATUS.INTERNAL, "failed to sign certificate", cause);
      });
    logger.debug(`Successfully signed certificate for ${namespace}/${appId}`);
    const jwts = await signTokens(authority, workloadUri(trustDomain, namespace, appId), [
      trustDomain,
      ...request.jwtAudiences,
    ]);
    return {
      certificatePem: signed.chainPem,
      trustAnchorsPem: authority.trustAnchorsPem,
      notAfterMs: signed.notAfterMs,
      ...jwts,
    };
  }

  #validatorOf(request: SignRequest): Validator {
    const { validators, defaultValidator, logger } = this.#options;
    const name = request.validator ?? defaultValidator;
    const who = `${request.namespace}/${request.appId}`;
    if (name === undefined) {
      logger.debug(`Validator 'UNKNOWN' is not known for ${who}`);
      throw failure(GRPC_STATUS.INVALID_ARGUMENT, "a validator name must be specified in this environment");
    }
    const validator = name === "unknown" ? undefined : validators.get(name);
    if (validator === undefined) {
      logger.debug(`Validator '${name.toUpperCase()}' is not enabled for ${who}`);
      throw failure(GRPC_STATUS.INVALID_ARGUMENT, "the requested validator is not enabled");
    }
    logger.debug(`Processing SignCertificate request for ${who} (validator: ${name.toUpperCase()})`);
    return validator;
  }

  /**
   * Services of the control plane that Kubernetes or their peers connect to by name, in its own trust domain: an etcd member
   * is known by such a name alone, and an app of another domain may be called like one.
   */
  #dnsNames(namespace: string, appId: string): readonly string[] {
    if (namespace !== this.#options.namespace) {
      return [];
    }
    switch (appId) {
      case "dapr-injector":
        return [`dapr-sidecar-injector.${namespace}.svc`];
      case "dapr-operator":
        return [`dapr-webhook.${namespace}.svc`];
      case "dapr-scheduler":
        return [0, 1, 2].map(
          (at) => `dapr-scheduler-server-${at}.dapr-scheduler-server.${namespace}.svc.${this.#options.clusterDomain}`,
        );
      default:
        return [];
    }
  }
}

function checkAudiences(audiences: readonly string[]): void {
  if (audiences.length > AUDIENCES_MAX) {
    throw failure(
      GRPC_STATUS.INVALID_ARGUMENT,
      `${audiences.length} JWT audiences are more than the limit of ${AUDIENCES_MAX}`,
    );
  }
  if (audiences.some((audience) => audience.length > AUDIENCE_LENGTH_MAX)) {
    throw failure(
      GRPC_STATUS.INVALID_ARGUMENT,
      `a JWT audience is longer than the limit of ${AUDIENCE_LENGTH_MAX} characters`,
    );
  }
}

async function signTokens(
  { jwt }: Authority,
  subject: string,
  audiences: readonly string[],
): Promise<Pick<SignResponse, "jwt" | "jwtByAudience">> {
  if (jwt === undefined) {
    return { jwt: undefined, jwtByAudience: new Map() };
  }
  try {
    const [all, ...each] = await Promise.all([
      jwt.sign(subject, audiences),
      ...[...new Set(audiences)].map(async (audience) => [audience, await jwt.sign(subject, [audience])] as const),
    ]);
    return { jwt: all, jwtByAudience: new Map(each) };
  } catch (cause) {
    throw failure(GRPC_STATUS.INTERNAL, `failed to generate JWT: ${errorMessage(cause)}`, cause);
  }
}

function failure(code: GrpcStatusCode, message: string, cause?: unknown): GrpcError {
  return new GrpcError(code, message, { cause });
}
