import { actorKey, type ActorRef } from "../../app/actor-host.ts";
import { TIMER_DATA_BYTES_MAX, TIMERS_MAX, TIMERS_PER_ACTOR_MAX } from "./limits.ts";
import { ActorLimitError } from "./ownership-gate.ts";

/** Counts the timers of a sidecar, those of each actor, and the bytes that they carry. */
export class TimerQuota {
  readonly #perActor = new Map<string, number>();
  #count = 0;
  #bytes = 0;

  /**
   * Whether there is room for one more.
   * @param replaced whose place it takes: its own counts as free
   * @throws ActorLimitError
   */
  check(
    ref: ActorRef,
    data: Uint8Array | undefined,
    replaced: { readonly data: Uint8Array | undefined } | undefined,
  ): void {
    const freed = replaced === undefined ? 0 : 1;
    const key = actorKey(ref);
    if ((this.#perActor.get(key) ?? 0) - freed >= TIMERS_PER_ACTOR_MAX) {
      throw new ActorLimitError(
        `${TIMERS_PER_ACTOR_MAX} timers of the actor ${key} run already, which is the limit; delete some or spread the work over more actors`,
      );
    }
    if (this.#count - freed >= TIMERS_MAX) {
      throw new ActorLimitError(`${TIMERS_MAX} timers run in this sidecar already, which is the limit; add replicas`);
    }
    const bytes = this.#bytes + lengthOf(data) - lengthOf(replaced?.data);
    if (bytes > TIMER_DATA_BYTES_MAX) {
      throw new ActorLimitError(
        `the data of this sidecar's timers would have ${bytes} bytes, and ${TIMER_DATA_BYTES_MAX} is the limit; keep data in the actor's state and its key in the timer`,
      );
    }
  }

  /** One more. */
  take(ref: ActorRef, data: Uint8Array | undefined): void {
    const key = actorKey(ref);
    this.#perActor.set(key, (this.#perActor.get(key) ?? 0) + 1);
    this.#count += 1;
    this.#bytes += lengthOf(data);
  }

  /** One that was taken is over. */
  give(ref: ActorRef, data: Uint8Array | undefined): void {
    const key = actorKey(ref);
    const own = (this.#perActor.get(key) ?? 1) - 1;
    if (own === 0) {
      this.#perActor.delete(key);
    } else {
      this.#perActor.set(key, own);
    }
    this.#count -= 1;
    this.#bytes -= lengthOf(data);
  }
}

function lengthOf(data: Uint8Array | undefined): number {
  return data?.byteLength ?? 0;
}
