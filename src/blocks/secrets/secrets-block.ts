import { ComponentError } from "../../components/spi/errors.ts";
import type { Secret, SecretStore } from "../../components/spi/secret-store.ts";
import { secretErrors } from "../../errors/catalogue/secrets.ts";
import { type ApiError, apiError } from "../../errors/error.ts";
import type { ComponentView } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import { goQuote } from "../../kit/go-quote.ts";
import type { Logger } from "../../kit/logger.ts";
import { type ComponentCallsSource, NO_CALLS } from "../../telemetry/metrics/component-calls.ts";
import { type ComponentPolicies, guarded, PoliciesByName } from "../component-policy.ts";
import { compileSecretAccess, type SecretAccess, type SecretScopeRule } from "./secret-scopes.ts";

export interface GetSecret {
  readonly store: string;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface BulkGetSecret {
  readonly store: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Secrets: every door and every in-process caller comes here. All methods throw ApiError of `secretErrors`. */
export interface SecretsBlock {
  get(request: GetSecret): Promise<Secret>;
  /** All secrets of a store that the app may see; the others are left out silently. */
  bulkGet(request: BulkGetSecret): Promise<Readonly<Record<string, Secret>>>;
}

export interface SecretsBlockOptions {
  readonly stores: ComponentView<SecretStore>;
  readonly scopes: readonly SecretScopeRule[];
  readonly logger: Logger;
  readonly clock: Clock;
  readonly calls?: ComponentCallsSource | undefined;
  readonly policies?: ComponentPolicies | undefined;
}

export function createSecretsBlock(options: SecretsBlockOptions): SecretsBlock {
  return new Block(options);
}

class Block implements SecretsBlock {
  readonly #stores: ComponentView<SecretStore>;
  readonly #isAllowed: SecretAccess;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #calls: ComponentCallsSource;
  readonly #policies: PoliciesByName;

  constructor({ stores, scopes, logger, clock, calls = NO_CALLS, policies }: SecretsBlockOptions) {
    this.#stores = stores;
    this.#isAllowed = compileSecretAccess(scopes);
    this.#logger = logger.scope("dapr.api");
    this.#clock = clock;
    this.#calls = calls;
    this.#policies = new PoliciesByName(policies, "Secretstore", "outbound");
  }

  async get({ store, key, metadata }: GetSecret): Promise<Secret> {
    const component = this.#store(store);
    if (!this.#isAllowed(store, key)) {
      throw denied(store, key);
    }
    const startedMs = this.#clock.monotonicMs();
    let success = false;
    try {
      const secret = await guarded(this.#policies.of(store), () => component.getSecret(key, metadata));
      success = true;
      return secret;
    } catch (error) {
      const cause = asComponentError(error);
      throw apiError(secretErrors.get, { secret: key, store, reason: cause.message }, { cause });
    } finally {
      this.#calls.of(store).record("get", success, this.#clock.monotonicMs() - startedMs);
    }
  }

  async bulkGet({ store, metadata }: BulkGetSecret): Promise<Readonly<Record<string, Secret>>> {
    const component = this.#store(store);
    const startedMs = this.#clock.monotonicMs();
    let secrets: Readonly<Record<string, Secret>> | undefined;
    try {
      secrets = await guarded(this.#policies.of(store), () => component.bulkGetSecret(metadata));
    } catch (error) {
      const cause = asComponentError(error);
      throw apiError(secretErrors.bulkGet, { store, reason: cause.message }, { cause });
    } finally {
      this.#calls.of(store).record("bulk_get", secrets !== undefined, this.#clock.monotonicMs() - startedMs);
    }
    return Object.fromEntries(
      Object.entries(secrets).filter(([key]) => {
        const allowed = this.#isAllowed(store, key);
        if (!allowed) {
          this.#logger.debug(denied(store, key).message);
        }
        return allowed;
      }),
    );
  }

  #store(name: string): SecretStore {
    if (this.#stores.size === 0) {
      throw apiError(secretErrors.storesNotConfigured, {});
    }
    const loaded = this.#stores.get(name);
    if (loaded === undefined) {
      throw apiError(secretErrors.storeNotFound, { store: name });
    }
    return loaded.component;
  }
}

function denied(store: string, secret: string): ApiError {
  return apiError(secretErrors.permissionDenied, { quotedSecret: goQuote(secret), quotedStore: goQuote(store) });
}

function asComponentError(error: unknown): ComponentError {
  if (!(error instanceof ComponentError)) {
    throw error;
  }
  return error;
}
