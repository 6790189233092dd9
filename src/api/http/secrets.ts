import type { SecretsBlock } from "../../blocks/secrets/secrets-block.ts";
import { queryMetadata, respondJson } from "./reply.ts";
import type { Route, RouteGroup } from "./route.ts";

const GROUP: RouteGroup = { name: "secrets", version: "v1" };

/** Routes 10 and 11 of the HTTP API. A secret that is called `bulk` cannot be had by its name. */
export function secretsRoutes(block: SecretsBlock): Route[] {
  return [
    {
      methods: ["GET"],
      path: "/v1.0/secrets/:store/bulk",
      group: GROUP,
      name: "GetBulkSecret",
      async handler(exchange, params, query) {
        const secrets = await block.bulkGet({ store: params["store"] ?? "", metadata: queryMetadata(query) });
        respondJson(exchange, 200, JSON.stringify(secrets));
      },
    },
    {
      methods: ["GET"],
      path: "/v1.0/secrets/:store/:key",
      group: GROUP,
      name: "GetSecret",
      async handler(exchange, params, query) {
        const request = { store: params["store"] ?? "", key: params["key"] ?? "", metadata: queryMetadata(query) };
        respondJson(exchange, 200, JSON.stringify(await block.get(request)));
      },
    },
  ];
}
