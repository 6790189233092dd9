import type { TraceSpan } from "../kit/trace-context.ts";

/**
 * Keys of what spans say, as Dapr has them: OpenTelemetry's semantic conventions 1.25 and its own under `dapr.`. Queries and
 * alerts name them.
 */
const DB_SYSTEM = "db.system";
const DB_NAME = "db.name";
const DB_STATEMENT = "db.statement";
const DB_CONNECTION_STRING = "db.connection_string";
const RPC_SERVICE = "rpc.service";
const PEER_NAME = "net.peer.name";
const ACTOR = "dapr.actor";

/** Prefix of request headers and metadata that users want to see on spans. */
const USER_PREFIX = "dapr-";
/** Never on a span: it opens the API. */
const API_TOKEN = "dapr-api-token";

/** A call of another app's method; its span is named after it. */
export function describeInvocation(span: TraceSpan, appId: string, method: string): void {
  span.name = `CallLocal/${appId}/${method}`;
  span.set(RPC_SERVICE, "ServiceInvocation");
  span.set(PEER_NAME, appId);
}

/** The same call where it arrives. */
export function describeLocalCall(span: TraceSpan, appId: string, method: string): void {
  span.name = `CallLocal/${appId}/${method}`;
  span.set(RPC_SERVICE, "ServiceInvocation");
  span.set("dapr.invoke_method", method);
}

/** A call of an actor's method. */
export function describeActorCall(span: TraceSpan, type: string, id: string, method: string): void {
  span.name = `CallActor/${type}/${method}`;
  span.set(RPC_SERVICE, "ServiceInvocation");
  span.set(ACTOR, `${type}.${id}`);
}

/** What is done with a component: `system` is the building block, `statement` the call. */
export function describeComponentCall(span: TraceSpan, system: string, name: string, statement: string): void {
  span.set(DB_SYSTEM, system);
  span.set(DB_CONNECTION_STRING, system);
  span.set(DB_STATEMENT, statement);
  span.set(DB_NAME, name);
}

/** A message that is published. */
export function describePublish(span: TraceSpan, topic: string): void {
  span.set("messaging.system", "pubsub");
  span.set("messaging.destination.name", topic);
}

/** What a request says under names that users may choose; the last value of a name counts. */
export function describeUserHeader(span: TraceSpan, name: string, value: string): void {
  if (name.length > USER_PREFIX.length && (name[0] === "d" || name[0] === "D")) {
    const lower = name.toLowerCase();
    if (lower.startsWith(USER_PREFIX) && !lower.endsWith("-bin") && lower !== API_TOKEN) {
      span.set(lower, value);
    }
  }
}
