import type { Health } from "../../blocks/control/health.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { HttpHandler } from "../../net/http/types.ts";
import type { HealthPage } from "./types.ts";

/**
 * The health port of a role (Dapr's `pkg/healthz/server`): `/healthz` with any method is 200 when all targets are ready and
 * 503 otherwise, without a body; further pages are JSON.
 */
export function healthHandler(health: Health, pages: ReadonlyMap<string, HealthPage>, logger: Logger): HttpHandler {
  return (exchange) => {
    const path = exchange.target.split("?", 1)[0] ?? "";
    if (path === "/healthz") {
      if (!health.isReady) {
        logger.debug("targets are unhealthy", { targets: `[${health.unhealthyTargets().join(" ")}]` });
      }
      exchange.respond(health.isReady ? 200 : 503, []);
      return;
    }
    const page = pages.get(path);
    if (page === undefined) {
      exchange.respond(404, ["content-type", "text/plain; charset=utf-8"], "404 page not found\n");
      return;
    }
    let json: string;
    try {
      json = page();
    } catch (error) {
      exchange.respond(500, ["content-type", "text/plain; charset=utf-8"], errorMessage(error));
      return;
    }
    exchange.respond(200, ["content-type", "application/json"], json);
  };
}
