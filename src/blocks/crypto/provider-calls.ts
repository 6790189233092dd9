import type { CryptoProvider } from "../../components/spi/crypto.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Policy } from "../../resiliency/types.ts";
import type { ComponentCalls } from "../../telemetry/metrics/component-calls.ts";
import { guarded } from "../component-policy.ts";

/** One call of a provider, repeated as its policy says. */
export type ProviderAttempt<T> = (provider: CryptoProvider, signal: CancelSignal) => Promise<T>;

/** The calls of one component: with its policy, and counted. */
export class ProviderCalls {
  readonly #provider: CryptoProvider;
  readonly #policy: Policy | undefined;
  readonly #calls: ComponentCalls;
  readonly #clock: Clock;

  constructor(provider: CryptoProvider, policy: Policy | undefined, calls: ComponentCalls, clock: Clock) {
    this.#provider = provider;
    this.#policy = policy;
    this.#calls = calls;
    this.#clock = clock;
  }

  /** @throws ComponentError, also for what the policy itself refuses */
  async run<T>(
    operation: "crypto_op" | "get",
    attempt: ProviderAttempt<T>,
    signal: CancelSignal | undefined,
  ): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    let success = false;
    try {
      const result = await guarded(this.#policy, (each) => attempt(this.#provider, each), { signal });
      success = true;
      return result;
    } finally {
      this.#calls.record(operation, success, this.#clock.monotonicMs() - startedMs);
    }
  }
}

/** The text of a call's failure. Anything but a ComponentError is a bug, and thrown on. */
export function reasonOf(error: unknown): string {
  if (error instanceof ComponentError) {
    return error.message;
  }
  throw error;
}
