import type { ComponentDeps } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { Instance, NameResolver, ResolveRequest } from "../spi/name-resolution.ts";

const SHARED_KEY = "nameresolution.outrigger.local";

/** Instances of one app that may be announced at once in one process. */
const INSTANCES_PER_APP_MAX = 1_000;

/** Addresses by app and namespace, in the order in which they were announced. */
type Registry = Map<string, string[]>;

/** The factory of the `outrigger.local` component. */
export function createLocalRegistry(deps: ComponentDeps): NameResolver {
  return new LocalRegistry(deps.shared.acquire<Registry>(SHARED_KEY, () => new Map()));
}

/** Finds the sidecars of this process that share a scope; addresses are given out in turn. */
class LocalRegistry implements NameResolver {
  readonly #registry: Registry;
  readonly #announced: { readonly key: string; readonly address: string }[] = [];
  #turn = 0;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  announce(instance: Instance): Promise<void> {
    const key = keyOf(instance);
    const host = instance.address.includes(":") ? `[${instance.address}]` : instance.address;
    const address = `${host}:${instance.internalGrpcPort}`;
    const addresses = this.#registry.get(key) ?? [];
    if (addresses.length >= INSTANCES_PER_APP_MAX) {
      return Promise.reject(
        new ComponentError(
          "unavailable",
          `${INSTANCES_PER_APP_MAX} instances of ${instance.appId} are announced already`,
        ),
      );
    }
    this.#registry.set(key, [...addresses, address]);
    this.#announced.push({ key, address });
    return Promise.resolve();
  }

  resolve(request: ResolveRequest): Promise<string> {
    const addresses = this.#registry.get(keyOf(request)) ?? [];
    const address = addresses[this.#turn % Math.max(addresses.length, 1)];
    if (address === undefined) {
      return Promise.reject(new ComponentError("notFound", `couldn't find service: ${request.appId}`));
    }
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return Promise.resolve(address);
  }

  close(): Promise<void> {
    for (const { key, address } of this.#announced.splice(0)) {
      const addresses = this.#registry.get(key) ?? [];
      const at = addresses.indexOf(address);
      const left = addresses.filter((_, index) => index !== at);
      if (left.length === 0) {
        this.#registry.delete(key);
      } else {
        this.#registry.set(key, left);
      }
    }
    return Promise.resolve();
  }
}

function keyOf(request: ResolveRequest): string {
  return `${request.namespace}/${request.appId}`;
}
