import { OUTRIGGER_VERSION } from "../../kit/release.ts";
import { respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

/** Which release of Outrigger this is: our own addition to Dapr's API, whose metadata name the release of Dapr. */
export function aboutRoutes(): Route[] {
  return [
    {
      methods: ["GET"],
      path: "/outrigger/v1/about",
      group: { name: "metadata", version: "v1" },
      name: "GetAbout",
      handler: (exchange) => respondJson(exchange, 200, JSON.stringify({ release: OUTRIGGER_VERSION })),
    },
  ];
}
