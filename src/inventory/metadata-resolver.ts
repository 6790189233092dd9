import type { ComponentMetadata } from "../components/spi/component.ts";
import type { SecretStore, Secret } from "../components/spi/secret-store.ts";
import type { Logger } from "../kit/logger.ts";
import type { Random } from "../kit/random.ts";
import type { NameValuePair } from "../resources/resource.ts";
import { isEnvironmentReferenceAllowed } from "./environment-reference.ts";
import { errorText } from "./errors.ts";
import { goUnquoteOrKeep } from "./go-unquote.ts";

export interface ResolverOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Empty: not running in a pod. */
  readonly podName: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly random: Random;
  readonly logger: Logger;
  readonly secretStore: (name: string) => SecretStore | undefined;
}

/** A resource whose values may stand elsewhere: a component's metadata, the headers or documents of an HTTP endpoint. */
export interface ReferencingResource {
  /** As the log calls it; absent: `Component`. */
  readonly kind?: string;
  readonly name: string;
  readonly namespace: string;
  readonly metadata: readonly NameValuePair[];
  /** Empty: none was written. */
  readonly secretStore: string;
}

/** A component's metadata with references looked up, templates not yet filled in. */
export interface ReferencedMetadata {
  readonly values: readonly { readonly name: string; readonly value: string }[];
  readonly secretNames: Readonly<Record<string, string>>;
}

/** What `resolveReferences` gives when a component has to wait. */
export interface WaitingFor {
  readonly waitingForSecretStore: string;
}

/**
 * Looks up the `envRef` and `secretKeyRef` values of a resource. What is not allowed, not found or fails is logged and
 * left empty, as Dapr does it; a secret store that is not loaded makes the resource wait.
 */
export async function resolveReferences(
  resource: ReferencingResource,
  options: ResolverOptions,
): Promise<ReferencedMetadata | WaitingFor> {
  const secrets = new Map<string, Secret | undefined>();
  const secretNames: Record<string, string> = {};
  const values: { name: string; value: string }[] = [];
  for (const pair of resource.metadata) {
    if (pair.value === undefined && pair.envRef !== "") {
      values.push({ name: pair.name, value: goUnquoteOrKeep(environmentValue(pair, resource, options)) });
    } else if (pair.secretKeyRef === undefined) {
      values.push({ name: pair.name, value: pair.value ?? "" });
    } else {
      const store = options.secretStore(resource.secretStore);
      if (store === undefined) {
        options.logger.warn(
          `${kindOf(resource)} ${resource.name} references a secret store that isn't loaded: ${resource.secretStore}`,
        );
        return { waitingForSecretStore: resource.secretStore };
      }
      const { name, key } = pair.secretKeyRef;
      if (!secrets.has(name)) {
        secrets.set(name, await getSecret(store, name, resource, options.logger));
      }
      const found = secrets.get(name)?.[key] ?? "";
      values.push({ name: pair.name, value: found === "" ? (pair.value ?? "") : goUnquoteOrKeep(found) });
      secretNames[pair.name] = name;
    }
  }
  return { values, secretNames };
}

function kindOf(resource: ReferencingResource): string {
  return resource.kind ?? "Component";
}

function environmentValue(pair: NameValuePair, resource: ReferencingResource, options: ResolverOptions): string {
  if (!isEnvironmentReferenceAllowed(pair.envRef, options.environment)) {
    options.logger.warn(
      `${kindOf(resource)} ${resource.name} references an env variable that isn't allowed: ${pair.envRef}`,
    );
    return "";
  }
  return options.environment[pair.envRef] ?? "";
}

async function getSecret(
  store: SecretStore,
  name: string,
  resource: ReferencingResource,
  logger: Logger,
): Promise<Secret | undefined> {
  try {
    return await store.getSecret(name, { namespace: resource.namespace });
  } catch (error) {
    logger.error(`Error getting secret: ${errorText(error)}`);
    return undefined;
  }
}

/**
 * Fills in `{uuid}` (fresh each time), `{podName}`, `{namespace}` (which stands for namespace and app id) and `{appID}`.
 * @throws Error with Dapr's text for `{podName}` outside a pod
 */
export function fillTemplates(referenced: ReferencedMetadata, options: ResolverOptions): ComponentMetadata {
  const metadata: Record<string, string> = {};
  for (const { name, value } of referenced.values) {
    if (value.includes("{podName}") && options.podName === "") {
      throw new Error(`failed to parse metadata: property ${name} refers to {podName} but podName is not set`);
    }
    metadata[name] = value
      .replaceAll("{uuid}", () => options.random.uuid())
      .replaceAll("{podName}", () => options.podName)
      .replaceAll("{namespace}", () => `${options.namespace}.${options.appId}`)
      .replaceAll("{appID}", () => options.appId);
  }
  return metadata;
}

/** Whether a value asks for the namespace, which scopes a pub/sub component's topics to it. */
export function isNamespaceScoped(referenced: ReferencedMetadata): boolean {
  return referenced.values.some(({ value }) => value.includes("{namespace}"));
}
