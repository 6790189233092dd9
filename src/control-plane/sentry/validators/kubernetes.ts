import { type Clock } from "../../../kit/clock.ts";
import type { CancelSignal } from "../../../kit/cancel-signal.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import type { KubernetesClient } from "../../../kubernetes/client.ts";
import { Informer } from "../../../kubernetes/informer.ts";
import { CONFIGURATIONS, type KubernetesObject, type Pod, PODS, TOKEN_REVIEWS } from "../../../kubernetes/objects.ts";
import { PUBLIC_TRUST_DOMAIN, trustDomainOf } from "../spiffe-names.ts";
import { checkRequest } from "./common-rules.ts";
import { Readiness } from "./readiness.ts";
import type { CertificateRequest, Validator } from "./validator.ts";

/** The audience of tokens before Dapr 1.12. */
const LEGACY_AUDIENCE = "dapr.io/sentry";

const CONTROL_PLANE = "dapr.io/control-plane";
const APP_ID = "dapr.io/app-id";
const CONFIG = "dapr.io/config";

const CONTROL_PLANE_SERVICES: ReadonlySet<string> = new Set([
  "operator",
  "placement",
  "injector",
  "sentry",
  "scheduler",
]);

export interface KubernetesValidatorOptions {
  readonly client: KubernetesClient;
  /** The sentry's own SPIFFE id, which tokens must be for, and its parts. */
  readonly sentryUri: string;
  readonly trustDomain: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a pod says of its identity. */
interface PodFacts {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly controlPlane: string | undefined;
  readonly appId: string | undefined;
  readonly config: string | undefined;
}

/** A dapr.io Configuration as far as identity goes. */
interface ConfigurationObject extends KubernetesObject {
  readonly spec?: { readonly accessControl?: { readonly trustDomain?: string } };
}

interface TokenReview extends KubernetesObject {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly error?: string;
    /** Those of the asked ones that the token is for; absent from API servers that know of none. */
    readonly audiences?: readonly string[];
    readonly user?: { readonly username?: string };
  };
}

/**
 * Has the API server check a token of a pod's service account, and holds what is asked for against that pod: its namespace,
 * its account, and the app id in its annotations.
 */
export class KubernetesValidator implements Validator {
  readonly #options: KubernetesValidatorOptions;
  readonly #pods: Informer<Pod, PodFacts>;
  readonly #configurations: Informer<ConfigurationObject, string>;
  readonly #readiness = new Readiness("validator not ready");

  constructor(options: KubernetesValidatorOptions) {
    const { client, clock, logger } = options;
    this.#options = options;
    this.#pods = new Informer({ client, clock, logger, kind: PODS, keep: factsOf });
    this.#configurations = new Informer({
      client,
      clock,
      logger,
      kind: CONFIGURATIONS,
      keep: ({ spec }: ConfigurationObject) => spec?.accessControl?.trustDomain ?? "",
    });
  }

  async start(): Promise<void> {
    this.#pods.start();
    this.#configurations.start();
    await Promise.all([this.#pods.synced, this.#configurations.synced]);
    this.#readiness.reached();
  }

  async stop(): Promise<void> {
    this.#readiness.failed(new Error("the validator stops"));
    await Promise.all([this.#pods.close(), this.#configurations.close()]);
  }

  async validate(request: CertificateRequest, signal: CancelSignal): Promise<string> {
    await this.#readiness.wait(signal);
    checkRequest(request);
    const [system, , tokenNamespace = "", account = "", ...more] = await this.#review(request.token);
    if (system !== "system" || account === "" || more.length > 0) {
      throw new Error("provided token is not a properly structured service account token");
    }
    const pod = this.#podOf(tokenNamespace, podNameOf(request.token));
    if (tokenNamespace !== request.namespace) {
      throw new Error(`namespace mismatch; received namespace: ${request.namespace}`);
    }
    if (pod.serviceAccount !== account) {
      this.#options.logger.error(`Service account on pod ${pod.namespace}/${pod.name} does not match token`);
      throw new Error("pod service account mismatch");
    }
    const { appId, isControlPlane } = this.#identityOf(pod);
    if (appId !== request.appId) {
      throw new Error(`app-id mismatch. expected: ${appId}, received: ${request.appId}`);
    }
    return isControlPlane ? this.#options.trustDomain : this.#trustDomainOf(pod);
  }

  /** @returns the token's user, `system:serviceaccount:<namespace>:<name>`, in pieces */
  async #review(token: string): Promise<readonly string[]> {
    const { client, sentryUri } = this.#options;
    const audiences = [LEGACY_AUDIENCE, sentryUri];
    let review: TokenReview;
    try {
      review = await client.create<TokenReview>(TOKEN_REVIEWS, undefined, {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        metadata: {},
        spec: { token, audiences },
      });
    } catch (cause) {
      throw new Error(`token review failed: ${errorMessage(cause)}`, { cause });
    }
    const { error = "", authenticated, user, audiences: forWhom = [] } = review.status ?? {};
    if (error !== "") {
      throw new Error(`invalid token: ${error}`);
    }
    if (authenticated !== true) {
      throw new Error("authentication failed");
    }
    if (forWhom.length > 0 && !forWhom.some((audience) => audiences.includes(audience))) {
      throw new Error("the token is for other audiences");
    }
    return (user?.username ?? "").split(":");
  }

  #podOf(namespace: string, name: string): PodFacts {
    const pod = this.#pods.get(namespace, name);
    if (pod === undefined) {
      this.#options.logger.error(`Failed to get pod ${namespace}/${name} for requested identity: not found`);
      throw new Error("failed to get pod of identity");
    }
    return pod;
  }

  /** A service of the control plane has a name of its own; another pod that of its app id, or else its own. */
  #identityOf(pod: PodFacts): { readonly appId: string; readonly isControlPlane: boolean } {
    const { controlPlane, appId, namespace, name } = pod;
    if (controlPlane === undefined) {
      return { appId: appId ?? name, isControlPlane: false };
    }
    if (namespace !== this.#options.namespace) {
      throw new Error(`control plane service in namespace '${namespace}' is not allowed`);
    }
    if (!CONTROL_PLANE_SERVICES.has(controlPlane)) {
      throw new Error(`unknown control plane service '${name}'`);
    }
    if (appId !== undefined) {
      throw new Error(`control plane service '${name}' cannot have annotation '${APP_ID}'`);
    }
    return { appId: `dapr-${controlPlane}`, isControlPlane: true };
  }

  #trustDomainOf({ namespace, config }: PodFacts): string {
    if (config === undefined) {
      return PUBLIC_TRUST_DOMAIN;
    }
    const written = this.#configurations.get(namespace, config);
    if (written === undefined) {
      this.#options.logger.error(`Failed to get configuration "${config}": not found in namespace ${namespace}`);
      throw new Error("failed to get configuration");
    }
    try {
      return written === "" ? PUBLIC_TRUST_DOMAIN : trustDomainOf(written);
    } catch (cause) {
      throw new Error(`failed to parse trust domain "${written}": ${errorMessage(cause)}`, { cause });
    }
  }
}

function factsOf({ metadata, spec }: Pod): PodFacts {
  const annotations = metadata.annotations ?? {};
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    serviceAccount: spec?.serviceAccountName ?? "",
    controlPlane: annotations[CONTROL_PLANE],
    appId: annotations[APP_ID],
    config: annotations[CONFIG],
  };
}

/** The pod that a token was made for; the API server has checked the token by now, so its signature is not looked at again. */
function podNameOf(token: string): string {
  const parts = token.split(".");
  const text = parts.length === 3 ? Buffer.from(parts[1] ?? "", "base64url").toString("utf8") : token;
  let claims: unknown;
  try {
    claims = JSON.parse(text);
  } catch (cause) {
    throw new Error("failed to parse Kubernetes token: it is no JWT", { cause });
  }
  const own = fieldOf(fieldOf(fieldOf(claims, "kubernetes.io"), "pod"), "name");
  if (typeof own !== "string" || own === "") {
    throw new Error("kubernetes.io/pod/name claim is missing from Kubernetes token");
  }
  return own;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
