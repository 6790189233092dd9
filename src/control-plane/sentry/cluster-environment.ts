import { resolveCname } from "node:dns/promises";
import { errorMessage } from "../../kit/error-message.ts";
import { KubernetesClient } from "../../kubernetes/client.ts";
import { KubernetesError } from "../../kubernetes/error.ts";
import { findClusterAccess } from "../../kubernetes/find-cluster-access.ts";
import { CONFIGURATIONS, type KubernetesObject } from "../../kubernetes/objects.ts";
import type { Configuration } from "../../resources/configuration.ts";
import { checkKubernetesUser } from "../shared/kubernetes-user.ts";
import type { RoleContext } from "../shared/types.ts";
import type { Environment } from "./environment.ts";
import { kubernetesStore } from "./issuer/kubernetes-store.ts";
import { CLUSTER_DOMAIN_MS_MAX } from "./limits.ts";
import { sentryConfiguration } from "./sentry-configuration.ts";
import type { SentryOptions } from "./sentry-options.ts";

const API_SERVICE = "kubernetes.default.svc";
const USER_AGENT = "outrigger-sentry";
const DEFAULT_CONFIGURATION = "daprsystem";

interface ConfigurationObject extends KubernetesObject {
  readonly spec?: { readonly mtls?: Configuration["mtls"] };
}

/** A sentry's environment in a cluster: its Configuration and its secret. @throws Error naming what is missing */
export async function openCluster(options: SentryOptions, context: RoleContext): Promise<Environment> {
  const { kubeconfig, environment, configName, namespace, credentials, jwtKeyId, trustDomain } = options;
  if ((environment["NAMESPACE"] ?? "") === "") {
    throw new Error(`'NAMESPACE' environment variable ${environment["NAMESPACE"] === "" ? "is empty" : "not set"}`);
  }
  const { clock, logger } = context;
  checkKubernetesUser(options.userId, environment, logger);
  const access = await findClusterAccess(kubeconfig, environment);
  const client = new KubernetesClient({ access, clock, userAgent: USER_AGENT });
  try {
    const mtls = await readMtls(client, namespace, configName || DEFAULT_CONFIGURATION);
    return {
      configuration: sentryConfiguration(mtls, "kubernetes"),
      store: kubernetesStore(client, namespace, credentials, jwtKeyId, clock),
      clusterDomain: await clusterDomain(context).catch((error: unknown) => {
        logger.error(
          `Error getting Kubernetes cluster domain, falling back to "${trustDomain}": ${errorMessage(error)}`,
        );
        return trustDomain;
      }),
      kubernetes: client,
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function readMtls(client: KubernetesClient, namespace: string, name: string): Promise<Configuration["mtls"]> {
  try {
    const { spec } = await client.get<ConfigurationObject>(CONFIGURATIONS, { namespace, name });
    return spec?.mtls;
  } catch (cause) {
    if (cause instanceof KubernetesError && cause.isNotFound) {
      throw new Error("config CRD not found", { cause });
    }
    throw cause;
  }
}

/** What follows the API server's name in the cluster's DNS. */
async function clusterDomain({ clock }: RoleContext): Promise<string> {
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => undefined);
  const timer = clock.after(CLUSTER_DOMAIN_MS_MAX, () => late.reject(new Error("DNS does not answer")));
  try {
    const [name = ""] = await Promise.race([resolveCname(API_SERVICE), late.promise]);
    const domain = name.replace(API_SERVICE, "").replaceAll(/^\.|\.$/g, "");
    if (domain === "") {
      throw new Error(`could not parse cluster domain from CNAME: ${name}`);
    }
    return domain;
  } finally {
    timer.cancel();
  }
}
