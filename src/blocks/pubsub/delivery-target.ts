import type { AppChannel, DeliveryOutcome, TopicBulk, TopicEvent } from "../../app/types.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";

/** Who takes a subscription's events: an app's channel, or a stream that the app holds open. */
export interface DeliveryTarget {
  /** @throws ConsumerGoneError when it ended before it answered */
  deliver(event: TopicEvent, signal: CancelSignal): Promise<DeliveryOutcome>;
  /** Absent: it takes events one by one only. */
  deliverBulk?(bulk: TopicBulk, signal: CancelSignal): Promise<readonly DeliveryOutcome[]>;
}

/** A target that also takes bulks, as every app's channel does. */
export type BulkTarget = Pick<AppChannel, "deliver" | "deliverBulk">;
