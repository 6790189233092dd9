import type { BindingEvent, BindingHandler, BindingReading, InputBinding } from "../../components/spi/bindings.ts";
import { type Clock, sleep } from "../../kit/clock.ts";
import type { ComponentCalls } from "../../telemetry/metrics/component-calls.ts";

/**
 * After the last event under way, a reading stays open so long for its result to reach the back end, whose connection
 * does not say when it has arrived; what Dapr waits too, in milliseconds.
 */
export const RESULT_GRACE_MS = 400;

/** What a binding is told about an event that comes while its reading ends; the text is Dapr's. */
const CLOSED = "input binding is closed";

/**
 * One reading of an input binding. Ending it first refuses further events, which gives them back, then waits for those
 * under way and their results, and only then takes the reading from the binding.
 */
export class InputReading {
  readonly #deliver: BindingHandler;
  readonly #clock: Clock;
  readonly #calls: ComponentCalls;
  #reading: BindingReading | undefined;
  #ending = false;
  #inFlight = 0;
  #drained: (() => void) | undefined;

  constructor(deliver: BindingHandler, clock: Clock, calls: ComponentCalls) {
    this.#deliver = deliver;
    this.#clock = clock;
    this.#calls = calls;
  }

  /** @throws what the binding says when it cannot be read */
  async begin(binding: Pick<InputBinding, "read">): Promise<void> {
    this.#reading = await binding.read(this.#handle);
  }

  /** Call it once. */
  async end(): Promise<void> {
    this.#ending = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
      await sleep(this.#clock, RESULT_GRACE_MS);
    }
    await this.#reading?.close();
  }

  readonly #handle = async (event: BindingEvent, signal: AbortSignal): Promise<Uint8Array | undefined> => {
    if (this.#ending) {
      throw new Error(CLOSED);
    }
    this.#inFlight += 1;
    const startedMs = this.#clock.monotonicMs();
    let success = false;
    try {
      const answer = await this.#deliver(event, signal);
      success = true;
      return answer;
    } finally {
      this.#calls.record("", success, this.#clock.monotonicMs() - startedMs);
      this.#inFlight -= 1;
      if (this.#inFlight === 0) {
        this.#drained?.();
      }
    }
  };
}
