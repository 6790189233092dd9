import type { TopicEventResponse_TopicEventResponseStatus } from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { DeliveryOutcome, TopicBulk } from "./types.ts";

/** What the app said about one entry of a bulk. */
export interface BulkStatus {
  readonly entryId: string;
  readonly status: string;
}

const SUCCESS: DeliveryOutcome = { kind: "success" };

/** Numbers of the wire's enum, in whose order they are. */
const STATUS_NAMES = [
  "SUCCESS",
  "RETRY",
  "DROP",
] as const satisfies readonly (keyof typeof TopicEventResponse_TopicEventResponseStatus)[];

/** The same outcome for every entry. */
export function allOf(bulk: TopicBulk, outcome: DeliveryOutcome): readonly DeliveryOutcome[] {
  return bulk.entries.map(() => outcome);
}

/**
 * What an HTTP app's answer to a bulk means: a 2xx says it for each entry, 404 acknowledges all, everything else asks for
 * all again. Reasons are Dapr's texts.
 * @param unknownEntry told the ids that the app made up
 */
export function interpretHttpBulkResponse(
  status: number,
  body: Uint8Array,
  bulk: TopicBulk,
  unknownEntry: (entryId: string) => void,
): readonly DeliveryOutcome[] {
  if (status >= 200 && status <= 299) {
    const statuses = statusesOf(body);
    return typeof statuses === "string"
      ? allOf(bulk, retry(`failed unmarshalling app response for bulk subscribe: ${statuses}`))
      : interpretBulkStatuses(statuses, bulk, unknownEntry);
  }
  if (status === 404) {
    const warning = `Non-retriable error returned from app while processing bulk pub/sub event. status code returned: ${status}`;
    return allOf(bulk, { kind: "success", warning });
  }
  return allOf(
    bulk,
    retry(
      `Retriable error returned from app while processing bulk pub/sub event, topic: ${bulk.topic}. status code returned: ${status}`,
    ),
  );
}

/** The same for the statuses of a gRPC app; one that the enum does not have stands as its number. */
export function grpcBulkStatus(entryId: string, status: number): BulkStatus {
  return { entryId, status: STATUS_NAMES[status] ?? String(status) };
}

/** What the statuses mean; an entry without one is wanted again. */
export function interpretBulkStatuses(
  statuses: readonly BulkStatus[],
  bulk: TopicBulk,
  unknownEntry: (entryId: string) => void,
): readonly DeliveryOutcome[] {
  const places = new Map(bulk.entries.map(({ entryId }, index) => [entryId, index]));
  const outcomes: (DeliveryOutcome | undefined)[] = bulk.entries.map(() => undefined);
  for (const { entryId, status } of statuses) {
    const place = places.get(entryId);
    if (place === undefined) {
      unknownEntry(entryId);
    } else {
      outcomes[place] = outcomeOf(entryId, status);
    }
  }
  return bulk.entries.map(
    ({ entryId }, index) =>
      outcomes[index] ??
      retry(`response not received, RETRY required while processing bulk subscribe event for entry id: ${entryId}`),
  );
}

function outcomeOf(entryId: string, status: string): DeliveryOutcome {
  switch (status) {
    case "SUCCESS":
      return SUCCESS;
    case "":
    case "RETRY":
      return retry(`RETRY required while processing bulk subscribe event for entry id: ${entryId}`);
    case "DROP":
      return {
        kind: "drop",
        severity: "warn",
        reason: `DROP status returned from app while processing pub/sub event ${entryId}`,
      };
    default:
      return retry(`unknown status returned from app while processing bulk subscribe event ${entryId}: ${status}`);
  }
}

function retry(reason: string): DeliveryOutcome {
  return { kind: "retry", reason };
}

/** The body's `statuses`; a text that says why there are none to be read. */
function statusesOf(body: Uint8Array): readonly BulkStatus[] | string {
  if (body.byteLength === 0) {
    return "EOF";
  }
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
    const { statuses } = parsed as { readonly statuses?: readonly Partial<BulkStatus>[] };
    return (statuses ?? []).map(({ entryId = "", status = "" }) => ({ entryId, status }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
