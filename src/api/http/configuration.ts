import { itemsBody, tellApp } from "../../blocks/configuration/app-updates.ts";
import type { ConfigurationBlock, GetConfiguration } from "../../blocks/configuration/configuration-block.ts";
import type { AppChannel } from "../../app/types.ts";
import { configurationErrors } from "../../errors/catalogue/configuration.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import type { Logger } from "../../kit/logger.ts";
import { queryMetadata, respondEmpty, respondJson } from "./reply.ts";
import type { PathParams, Route, RouteHandler } from "./route.ts";

export interface ConfigurationRoutesOptions {
  /** Where changes are told; undefined: there is no app. */
  appChannel(): AppChannel | undefined;
  readonly logger: Logger;
}

const VERSIONS = [
  { prefix: "/v1.0", group: { name: "configuration", version: "v1" } },
  { prefix: "/v1.0-alpha1", group: { name: "configuration", version: "v1alpha1" } },
] as const;

/** Routes 12 to 14 of the HTTP API, each twice. Changes go to the app, which serves `POST /configuration/{store}/{key}`. */
export function configurationRoutes(block: ConfigurationBlock, options: ConfigurationRoutesOptions): Route[] {
  const get: RouteHandler = async (exchange, params, query) => {
    const items = await block.get(requestOf(params, query));
    if (Object.keys(items).length === 0) {
      respondEmpty(exchange);
    } else {
      respondJson(exchange, 200, JSON.stringify(itemsBody(items)));
    }
  };
  const subscribe: RouteHandler = async (exchange, params, query) => {
    const request = requestOf(params, query);
    block.requireStore(request.store);
    const channel = options.appChannel();
    if (channel === undefined) {
      throw apiError(configurationErrors.appChannelMissing, {});
    }
    const subscription = await block.subscribe(request);
    void tellApp(request.store, subscription, channel, options.logger);
    respondJson(exchange, 200, JSON.stringify({ id: subscription.id }));
  };
  const unsubscribe: RouteHandler = async (exchange, params) => {
    const store = params["store"] ?? "";
    block.requireStore(store);
    try {
      await block.unsubscribe(store, params["id"] ?? "");
    } catch (error) {
      if (error instanceof ApiError && error.entry === configurationErrors.unsubscribe) {
        respondJson(exchange, error.httpStatus, JSON.stringify({ message: error.message }));
        return;
      }
      throw error;
    }
    respondJson(exchange, 200, JSON.stringify({ ok: true }));
  };
  return VERSIONS.flatMap(({ prefix, group }): Route[] => [
    { methods: ["GET"], path: `${prefix}/configuration/:store`, group, name: "GetConfiguration", handler: get },
    {
      methods: ["GET"],
      path: `${prefix}/configuration/:store/subscribe`,
      group,
      name: "SubscribeConfiguration",
      handler: subscribe,
    },
    {
      methods: ["GET"],
      path: `${prefix}/configuration/:store/:id/unsubscribe`,
      group,
      name: "UnsubscribeConfiguration",
      handler: unsubscribe,
    },
  ]);
}

function requestOf(params: PathParams, query: string): GetConfiguration {
  const keys = query === "" ? [] : new URLSearchParams(query).getAll("key");
  return { store: params["store"] ?? "", keys, metadata: queryMetadata(query) };
}
