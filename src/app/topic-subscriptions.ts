import type { ListTopicSubscriptionsResponse, TopicRoutes } from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { SubscriptionRule, SubscriptionSpec } from "./types.ts";

/** An app's `GET /dapr/subscribe` answered with something that is not a list of subscriptions. */
export class InvalidSubscriptionsError extends Error {
  override readonly name = "InvalidSubscriptionsError";
}

/** What the app declared, and the topics that were left out because they have no route. */
export interface ParsedSubscriptions {
  readonly subscriptions: readonly SubscriptionSpec[];
  /** To be logged as `topic {topic} has an empty routes. removing from subscriptions list`. */
  readonly topicsWithoutRoute: readonly string[];
}

const NONE: ParsedSubscriptions = { subscriptions: [], topicsWithoutRoute: [] };

/**
 * Reads the body of an app's `GET /dapr/subscribe`: each entry with one `route` (v1alpha1) or with `routes.rules` and
 * `routes.default` (v2alpha1). An empty body and `null` mean none.
 * @throws InvalidSubscriptionsError with Dapr's text
 */
export function parseHttpSubscriptions(body: Uint8Array): ParsedSubscriptions {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  if (text.trim() === "") {
    return NONE;
  }
  const entries = parseEntries(text);
  const subscriptions: SubscriptionSpec[] = [];
  const topicsWithoutRoute: string[] = [];
  for (const entry of entries) {
    const spec = fromEntry(entry);
    if (spec.rules.length === 0) {
      topicsWithoutRoute.push(spec.topic);
    } else {
      subscriptions.push(spec);
    }
  }
  return { subscriptions, topicsWithoutRoute };
}

/** The answer of an app's `ListTopicSubscriptions`; a subscription without routes gets the empty path. */
export function fromGrpcSubscriptions(response: ListTopicSubscriptionsResponse): SubscriptionSpec[] {
  return response.subscriptions.map((subscription) => ({
    pubsubName: subscription.pubsubName,
    topic: subscription.topic,
    metadata: { ...subscription.metadata },
    rules: grpcRules(subscription.routes),
    deadLetterTopic: subscription.deadLetterTopic,
    bulk: {
      enabled: subscription.bulkSubscribe?.enabled ?? false,
      maxMessagesCount: subscription.bulkSubscribe?.maxMessagesCount ?? 0,
      maxAwaitDurationMs: subscription.bulkSubscribe?.maxAwaitDurationMs ?? 0,
    },
  }));
}

function grpcRules(routes: TopicRoutes | undefined): SubscriptionRule[] {
  const rules: SubscriptionRule[] = (routes?.rules ?? []).map((rule) => ({
    match: rule.match.trim(),
    path: rule.path,
  }));
  if (routes !== undefined && routes.default !== "") {
    rules.push({ match: "", path: routes.default });
  }
  return rules.length === 0 ? [{ match: "", path: "" }] : rules;
}

type Fields = Readonly<Record<string, unknown>>;

function parseEntries(text: string): readonly Fields[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
  if (parsed === null) {
    return [];
  }
  if (!Array.isArray(parsed) || !parsed.every(isFields)) {
    throw invalid("the answer is not a list of subscriptions");
  }
  return parsed;
}

function fromEntry(entry: Fields): SubscriptionSpec {
  const routes = fieldsOf(entry, "routes");
  const rules: SubscriptionRule[] = [];
  const listed = member(routes, "rules");
  for (const rule of Array.isArray(listed) ? listed.filter(isFields) : []) {
    rules.push({ match: text(rule, "match").trim(), path: text(rule, "path") });
  }
  const last = text(routes, "default") || text(entry, "route");
  if (last !== "") {
    rules.push({ match: "", path: last });
  }
  const bulk = fieldsOf(entry, "bulkSubscribe");
  return {
    pubsubName: text(entry, "pubsubname"),
    topic: text(entry, "topic"),
    metadata: stringMap(fieldsOf(entry, "metadata")),
    rules,
    deadLetterTopic: text(entry, "deadLetterTopic"),
    bulk: {
      enabled: member(bulk, "enabled") === true,
      maxMessagesCount: integer(bulk, "maxMessagesCount"),
      maxAwaitDurationMs: integer(bulk, "maxAwaitDurationMs"),
    },
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names match without case when no exact one exists: Go's JSON decoder reads them so, and SDKs rely on it (`pubsubName`). */
function member(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) {
    return fields[name];
  }
  const lower = name.toLowerCase();
  for (const key of Object.keys(fields)) {
    if (key.toLowerCase() === lower) {
      return fields[key];
    }
  }
  return undefined;
}

function fieldsOf(fields: Fields, name: string): Fields {
  const value = member(fields, name) ?? {};
  if (!isFields(value)) {
    throw invalid(`field ${name} is not an object`);
  }
  return value;
}

function text(fields: Fields, name: string): string {
  const value = member(fields, name) ?? "";
  if (typeof value !== "string") {
    throw invalid(`field ${name} is not a string`);
  }
  return value;
}

function integer(fields: Fields, name: string): number {
  const value = member(fields, name) ?? 0;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw invalid(`field ${name} is not an integer`);
  }
  return value;
}

function stringMap(fields: Fields): Record<string, string> {
  const map: Record<string, string> = {};
  for (const name of Object.keys(fields)) {
    map[name] = text(fields, name);
  }
  return map;
}

function invalid(reason: string): InvalidSubscriptionsError {
  return new InvalidSubscriptionsError(`error getting topics from app: ${reason}`);
}
