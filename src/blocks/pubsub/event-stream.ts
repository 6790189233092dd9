import { type TopicEventStatus, interpretGrpcTopicResponse } from "../../app/topic-response.ts";
import type { DeliveryOutcome, TopicEvent } from "../../app/types.ts";
import { ConsumerGoneError } from "../../components/spi/pubsub.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { DeliveryTarget } from "./delivery-target.ts";

/** Events that one stream may leave unanswered; what comes on top goes back to the broker. */
export const UNANSWERED_EVENTS_MAX = 10_000;

interface Unanswered {
  readonly event: TopicEvent;
  readonly resolve: (outcome: DeliveryOutcome) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One stream that an app holds open, as a target of deliveries: events go out through `send`, and each waits for the
 * app's answer by the event's id. Of several events with one id the oldest is answered first.
 */
export class EventStream implements DeliveryTarget {
  readonly #send: (event: TopicEvent) => void;
  readonly #unanswered = new Map<string, Unanswered[]>();
  #count = 0;
  #ended = false;

  constructor(send: (event: TopicEvent) => void) {
    this.#send = send;
  }

  deliver(event: TopicEvent, signal: CancelSignal): Promise<DeliveryOutcome> {
    if (this.#ended) {
      return Promise.reject(new ConsumerGoneError());
    }
    if (this.#count >= UNANSWERED_EVENTS_MAX) {
      const reason = `the stream has ${UNANSWERED_EVENTS_MAX} events without an answer, which is its limit; answer events, or open more streams`;
      return Promise.resolve({ kind: "retry", reason });
    }
    return new Promise((resolve, reject) => {
      const id = idOf(event);
      const giveUp = (): void => {
        this.#forget(id, unanswered);
        reject(signal.reason);
      };
      const unanswered: Unanswered = {
        event,
        resolve(outcome) {
          signal.removeEventListener("abort", giveUp);
          resolve(outcome);
        },
        reject(error) {
          signal.removeEventListener("abort", giveUp);
          reject(error);
        },
      };
      this.#send(event);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#remember(id, unanswered);
    });
  }

  /** What the app says about an event. @returns false when no event of that id waits for an answer */
  answer(id: string, status: TopicEventStatus): boolean {
    const unanswered = this.#unanswered.get(id)?.[0];
    if (unanswered === undefined) {
      return false;
    }
    this.#forget(id, unanswered);
    unanswered.resolve(interpretGrpcTopicResponse(status, unanswered.event));
    return true;
  }

  /** Nobody answers any more. */
  end(): void {
    this.#ended = true;
    const waiting = [...this.#unanswered.values()].flat();
    this.#unanswered.clear();
    this.#count = 0;
    for (const { reject } of waiting) {
      reject(new ConsumerGoneError());
    }
  }

  #remember(id: string, unanswered: Unanswered): void {
    this.#count += 1;
    const same = this.#unanswered.get(id);
    if (same === undefined) {
      this.#unanswered.set(id, [unanswered]);
    } else {
      same.push(unanswered);
    }
  }

  #forget(id: string, unanswered: Unanswered): void {
    const same = this.#unanswered.get(id);
    const place = same?.indexOf(unanswered) ?? -1;
    if (same === undefined || place === -1) {
      return;
    }
    this.#count -= 1;
    same.splice(place, 1);
    if (same.length === 0) {
      this.#unanswered.delete(id);
    }
  }
}

/** The id as the app reads it. */
function idOf(event: TopicEvent): string {
  const id = event.fields["id"];
  return typeof id === "string" ? id : "";
}
