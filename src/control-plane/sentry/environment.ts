import type { KubernetesClient } from "../../kubernetes/client.ts";
import type { CredentialStore } from "./issuer/credential-store.ts";
import type { SentryConfiguration } from "./sentry-options.ts";

/** What a sentry finds where it runs: files, or a Kubernetes cluster. */
export interface Environment {
  readonly configuration: SentryConfiguration;
  readonly store: CredentialStore;
  /** Of names in the cluster's DNS; outside of one the trust domain, as Dapr has it. */
  readonly clusterDomain: string;
  readonly kubernetes: KubernetesClient | undefined;
  close(): Promise<void>;
}
