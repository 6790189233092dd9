import type { CancelSignal } from "../../../kit/cancel-signal.ts";

/** Whether a validator can judge by now: requests that come before wait for it as long as their callers do. */
export class Readiness {
  readonly #ready = Promise.withResolvers<void>();
  readonly #refusal: string;

  /** @param refusal what those are told who waited in vain */
  constructor(refusal: string) {
    this.#refusal = refusal;
    this.#ready.promise.catch(() => undefined);
  }

  reached(): void {
    this.#ready.resolve();
  }

  failed(cause: unknown): void {
    this.#ready.reject(cause);
  }

  /** @throws Error when it fails, or when the caller is gone */
  async wait(signal: CancelSignal): Promise<void> {
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => undefined);
    const onAbort = (): void => gone.reject(signal.reason);
    if (signal.aborted) {
      onAbort();
    }
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.#ready.promise, gone.promise]);
    } catch (cause) {
      throw new Error(this.#refusal, { cause });
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
