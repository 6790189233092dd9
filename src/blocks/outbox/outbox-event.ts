import type { StateOperation, StateSetRequest } from "../../components/spi/state.ts";
import { readJsonMembers, writeJsonMembers } from "../../kit/json-members.ts";
import { decodeJsonString } from "../../kit/json-scanner.ts";
import { newEnvelope, NO_TRACE } from "../pubsub/envelope.ts";
import { type AnnouncedOperation, isTruthy, type TransactionTrace } from "../state/outbox-port.ts";

/** Metadata of an upsert that is no write: its value is what is published for the write of the same key. */
const PROJECTION = "outbox.projection";
/** Attributes that an operation's metadata cannot replace. */
const RESERVED: ReadonlySet<string> = new Set(["data", "id"]);
const JSON_CONTENT_TYPE = "application/json";
const QUOTE = 0x22;

/** What is published for one write. */
export interface OutboxPayload {
  readonly data: Uint8Array;
  readonly contentType: string;
  /** Become attributes of the event. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A transaction taken apart: what the store is to do, and what is to be published for each of its writes. */
export interface OutboxPlan {
  readonly operations: readonly StateOperation[];
  readonly payloads: readonly OutboxPayload[];
}

/**
 * Tells writes from projections. Deletes are not published. A projection replaces the payload of every write of its key
 * and is not stored; metadata are always the write's own.
 */
export function planOutbox(announced: readonly AnnouncedOperation[]): OutboxPlan {
  const projections = new Map<string, AnnouncedOperation>();
  const writes: AnnouncedOperation[] = [];
  for (const each of announced) {
    const { kind, request } = each.operation;
    if (kind === "upsert" && isTruthy(request.metadata[PROJECTION] ?? "")) {
      projections.set(request.key, each);
    } else {
      writes.push(each);
    }
  }
  const payloads: OutboxPayload[] = [];
  for (const each of writes) {
    const { kind, request } = each.operation;
    if (kind === "upsert") {
      const { operation, contentType } = projections.get(request.key) ?? each;
      payloads.push({
        data: dataOf(operation.request as StateSetRequest, contentType),
        contentType,
        metadata: request.metadata,
      });
    }
  }
  return { operations: writes.map(({ operation }) => operation), payloads };
}

/**
 * A JSON value goes as JSON where its content type says so. Otherwise a string gives its characters; other values, which
 * Dapr prints in Go's form (`map[a:1]`), stay JSON, since nobody could read that form again.
 */
function dataOf({ value, valueIsJson }: StateSetRequest, contentType: string): Uint8Array {
  const isText = valueIsJson && value[0] === QUOTE && contentType.toLowerCase() !== JSON_CONTENT_TYPE;
  return isText ? Buffer.from(decodeJsonString(value)) : value;
}

/** What of an event does not come from its payload. `id` is the key of the marker, `time` RFC 3339. */
export interface OutboxEventFacts {
  readonly id: string;
  readonly source: string;
  readonly pubsub: string;
  readonly time: string;
  readonly trace: TransactionTrace | undefined;
}

/** The CloudEvent of one write as it goes to the internal topic; its own topic is filled in when it goes on. */
export function outboxEvent({ data, contentType, metadata }: OutboxPayload, facts: OutboxEventFacts): Uint8Array {
  const { trace = NO_TRACE, ...named } = facts;
  const envelope = newEnvelope(data, {
    ...named,
    topic: "",
    contentType,
    expiration: undefined,
    trace,
    overrides: undefined,
  });
  const attributes = Object.keys(metadata).filter((name) => !RESERVED.has(name));
  const members = attributes.length === 0 ? undefined : readJsonMembers(envelope);
  if (members === undefined) {
    return envelope;
  }
  for (const name of attributes) {
    members.set(name, JSON.stringify(metadata[name]));
  }
  return writeJsonMembers(members);
}
