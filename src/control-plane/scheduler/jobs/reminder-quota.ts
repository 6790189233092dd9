import type { JobMetadata } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import type { KeyStore } from "../store/key-store.ts";
import { JOBS, prefixRange } from "../store/keys.ts";
import { JobError } from "./job-error.ts";
import { namePrefix } from "./job-name.ts";

/** Actors of the workflow engine: it bounds its own reminders, which are as many as a workflow has timers. */
const INTERNAL_TYPES = "dapr.internal.";

/**
 * Refuses one more reminder of an actor that has as many as it may. One that takes another's place is none more. Those of
 * an actor `a||b` count for the actor `a` too, as Dapr's keys cannot tell them apart.
 * Requests at the same time may each find room, so that the limit is kept give or take a few.
 *
 * @param max 0: no limit
 * @throws JobError
 */
export async function checkReminderQuota(
  store: KeyStore,
  key: string,
  metadata: JobMetadata,
  max: number,
): Promise<void> {
  const target = metadata.target?.type;
  if (max === 0 || target?.case !== "actor" || target.value.type.startsWith(INTERNAL_TYPES)) {
    return;
  }
  const count = await store.count(prefixRange(JOBS + namePrefix(metadata)));
  if (count >= max && (await store.get(key)) === undefined) {
    const { type, id } = target.value;
    throw new JobError(
      "limit",
      `actor ${type}||${id} has ${count} reminders, and the limit is ${max}: delete some, or start the scheduler with a greater --actor-reminders-max`,
    );
  }
}
