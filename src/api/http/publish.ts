import { Buffer } from "node:buffer";
import type { BulkPublishOutcome } from "../../blocks/pubsub/bulk-publish.ts";
import type { PubSubBlock } from "../../blocks/pubsub/pubsub-block.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { EntriesError, readBulkEntries } from "./bulk-entries.ts";
import { queryMetadata, respondEmpty, respondJson } from "./reply.ts";
import { requestTrace } from "./request-trace.ts";
import type { PathParams, Route, RouteHandler } from "./route.ts";

const METHODS = ["POST", "PUT"];

export interface PublishRouteOptions {
  /** Bytes of a request body; 0: no limit. */
  readonly maxBodyBytes: number;
}

/**
 * Publishing: routes 7 and 8 of the HTTP API. The topic is the rest of the path. Paths that end before the topic, or
 * before the broker's name, are routes too, so that they get the block's own errors.
 */
export function publishRoutes(block: PubSubBlock, options: PublishRouteOptions): Route[] {
  const publish: RouteHandler = async (exchange, params, query) => {
    const pubsub = params["pubsub"] ?? "";
    const topic = params["*"] ?? "";
    const metadata = queryMetadata(query);
    const data = await exchange.readBody(options.maxBodyBytes);
    await block.publish({
      pubsub,
      topic,
      data,
      contentType: exchange.header("content-type") ?? "",
      metadata,
      trace: requestTrace(exchange),
      origin: "http",
    });
    respondEmpty(exchange);
  };
  const bulkPublish: RouteHandler = (exchange, params, query) => serveBulk(block, options, exchange, params, query);
  const group = { name: "publish", version: "v1" } as const;
  return [
    { methods: METHODS, path: "/v1.0/publish/:pubsub/*", group, name: "PublishEvent", handler: publish },
    { methods: METHODS, path: "/v1.0/publish/:pubsub", group, name: "PublishEvent", handler: publish },
    { methods: METHODS, path: "/v1.0/publish", group, name: "PublishEvent", handler: publish },
    { methods: METHODS, path: "/v1.0/publish/bulk/:pubsub/*", group, name: "BulkPublishEvent", handler: bulkPublish },
    {
      methods: METHODS,
      path: "/v1.0-alpha1/publish/bulk/:pubsub/*",
      group: { name: "publish", version: "v1alpha1" },
      name: "BulkPublishEvent",
      handler: bulkPublish,
    },
  ];
}

async function serveBulk(
  block: PubSubBlock,
  options: PublishRouteOptions,
  exchange: HttpExchange,
  params: PathParams,
  query: string,
): Promise<void> {
  const pubsub = params["pubsub"] ?? "";
  const topic = params["*"] ?? "";
  const metadata = queryMetadata(query);
  const body = await exchange.readBody(options.maxBodyBytes);
  block.requireTarget(pubsub, topic, metadata);
  let outcome: BulkPublishOutcome;
  try {
    outcome = await block.bulkPublish({
      pubsub,
      topic,
      metadata,
      entries: readBulkEntries(body),
      trace: requestTrace(exchange),
      origin: "http",
    });
  } catch (error) {
    throw error instanceof EntriesError ? block.entriesError(error.kind, pubsub, topic, error.message) : error;
  }
  if (outcome.failure === undefined) {
    respondEmpty(exchange);
    return;
  }
  respondFailures(exchange, outcome, outcome.failure);
}

/** The one error whose body lists entries; it stands in the headers once more, as Dapr has it. */
function respondFailures(
  exchange: HttpExchange,
  outcome: BulkPublishOutcome,
  failure: NonNullable<BulkPublishOutcome["failure"]>,
): void {
  const failedEntries = outcome.failedEntries.map(({ entryId, error }) =>
    error === "" ? { entryId } : { entryId, error },
  );
  const json = JSON.stringify({ failedEntries, errorCode: failure.entry.code });
  exchange.addResponseHeaders([
    "metadata.responsedata",
    headerText(json),
    "metadata.error",
    headerText(`api error: code = Internal desc = ${failure.message}`),
  ]);
  respondJson(exchange, failure.httpStatus, json);
}

/** What a header field may not hold becomes a space. */
function headerText(text: string): string {
  return Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, " ");
}
