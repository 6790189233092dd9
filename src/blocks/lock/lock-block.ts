import { ComponentError } from "../../components/spi/errors.ts";
import type { LockStore, UnlockStatus } from "../../components/spi/lock.ts";
import { lockErrors } from "../../errors/catalogue/lock.ts";
import { apiError } from "../../errors/error.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Policy } from "../../resiliency/types.ts";
import { type ComponentPolicies, guarded, NO_POLICIES } from "../component-policy.ts";
import { IllegalLockKeyError, lockPrefix, storedResource } from "./lock-key.ts";

export interface Unlock {
  readonly store: string;
  readonly resourceId: string;
  readonly owner: string;
}

export interface TryLock extends Unlock {
  readonly expirySeconds: number;
}

/** Locks: every door and every in-process caller comes here. All methods throw ApiError of `lockErrors`. */
export interface LockBlock {
  /** @returns false when somebody else holds it */
  tryLock(request: TryLock): Promise<boolean>;
  unlock(request: Unlock): Promise<UnlockStatus>;
}

export interface LockBlockOptions {
  readonly stores: ComponentView<LockStore>;
  readonly appId: string;
  readonly policies?: ComponentPolicies | undefined;
}

/** Follows `stores` from now on. */
export function createLockBlock(options: LockBlockOptions): LockBlock {
  return new Block(options);
}

interface Target {
  readonly component: LockStore;
  readonly prefix: string;
  readonly policy: Policy | undefined;
}

class Block implements LockBlock {
  readonly #appId: string;
  readonly #policies: ComponentPolicies;
  readonly #targets = new Map<string, Target>();

  constructor({ stores, appId, policies = NO_POLICIES }: LockBlockOptions) {
    this.#appId = appId;
    this.#policies = policies;
    stores.watch((name, loaded) => this.#update(name, loaded));
    this.#policies.onChange?.(() => {
      for (const loaded of stores.values()) {
        this.#update(loaded.name, loaded);
      }
    });
  }

  async tryLock(request: TryLock): Promise<boolean> {
    if (request.expirySeconds <= 0) {
      throw apiError(lockErrors.expiryNotPositive, { store: request.store });
    }
    const { component, prefix, policy } = this.#target(request);
    const { owner, expirySeconds } = request;
    try {
      const stored = { resourceId: storedResource(prefix, request.resourceId), owner, expirySeconds };
      return await guarded(policy, () => component.tryLock(stored));
    } catch (error) {
      throw apiError(lockErrors.tryLock, { reason: reasonOf(error) }, { cause: error });
    }
  }

  async unlock(request: Unlock): Promise<UnlockStatus> {
    const { component, prefix, policy } = this.#target(request);
    try {
      const stored = { resourceId: storedResource(prefix, request.resourceId), owner: request.owner };
      return await guarded(policy, () => component.unlock(stored));
    } catch (error) {
      throw apiError(lockErrors.unlock, { reason: reasonOf(error) }, { cause: error });
    }
  }

  /** What is wrong with the request is told before which store is missing, as in Dapr. */
  #target({ store, resourceId, owner }: Unlock): Target {
    if (this.#targets.size === 0) {
      throw apiError(lockErrors.storesNotConfigured, {});
    }
    if (resourceId === "") {
      throw apiError(lockErrors.resourceEmpty, { store });
    }
    if (owner === "") {
      throw apiError(lockErrors.ownerEmpty, { store });
    }
    const target = this.#targets.get(store);
    if (target === undefined) {
      throw apiError(lockErrors.storeNotFound, { store });
    }
    return target;
  }

  /** A prefix that is not allowed keeps the component from loading. */
  #update(name: string, loaded: Loaded<LockStore> | undefined): void {
    if (loaded === undefined) {
      this.#targets.delete(name);
      return;
    }
    try {
      const prefix = lockPrefix(loaded.metadata, name, this.#appId);
      const policy = this.#policies.component(name, "Lock", "outbound");
      this.#targets.set(name, { component: loaded.component, prefix, policy });
    } catch (cause) {
      throw new Error(`failed to save lock keyprefix: ${errorMessage(cause)}`, { cause });
    }
  }
}

/** Anything but a store's failure or an illegal name is a bug, and thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof ComponentError || error instanceof IllegalLockKeyError) {
    return error.message;
  }
  throw error;
}
