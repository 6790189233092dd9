import type { CryptoProvider } from "../../components/spi/crypto.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { cryptoErrors } from "../../errors/catalogue/crypto.ts";
import { apiError } from "../../errors/error.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { type ComponentCallsSource, NO_CALLS } from "../../telemetry/metrics/component-calls.ts";
import { type ComponentPolicies, NO_POLICIES } from "../component-policy.ts";
import { ProviderCalls } from "./provider-calls.ts";
import { ProviderOperations } from "./provider-operations.ts";
import type { CryptoOperations } from "./types.ts";

/** Cryptography: every door and every in-process caller comes here. */
export interface CryptoBlock {
  /** What can be done with the keys of a component. @throws ApiError of `cryptoErrors` */
  provider(component: string): CryptoOperations;
}

export interface CryptoBlockOptions {
  readonly providers: ComponentView<CryptoProvider>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly policies?: ComponentPolicies | undefined;
  readonly calls?: ComponentCallsSource | undefined;
}

/** Follows `providers` from now on. */
export function createCryptoBlock(options: CryptoBlockOptions): CryptoBlock {
  return new Block(options);
}

class Block implements CryptoBlock {
  readonly #operations = new Map<string, CryptoOperations>();

  constructor({ providers, clock, random, logger, policies = NO_POLICIES, calls = NO_CALLS }: CryptoBlockOptions) {
    const log = logger.scope("dapr.api");
    const update = (name: string, loaded: Loaded<CryptoProvider> | undefined): void => {
      if (loaded === undefined) {
        this.#operations.delete(name);
        return;
      }
      const policy = policies.component(name, "Crypto", "outbound");
      const provider = new ProviderCalls(loaded.component, policy, calls.of(name), clock);
      this.#operations.set(name, new ProviderOperations(provider, random, log));
    };
    providers.watch(update);
    policies.onChange?.(() => {
      for (const loaded of providers.values()) {
        update(loaded.name, loaded);
      }
    });
  }

  provider(component: string): CryptoOperations {
    if (this.#operations.size === 0) {
      throw apiError(cryptoErrors.providersNotConfigured, {});
    }
    if (component === "") {
      throw apiError(commonErrors.badRequest, { reason: "missing component name" });
    }
    const operations = this.#operations.get(component);
    if (operations === undefined) {
      throw apiError(cryptoErrors.providerNotFound, { provider: component });
    }
    return operations;
  }
}
