import type { HeaderList, HttpExchange } from "../../net/http/types.ts";
import { EXPOSITION_CONTENT_TYPE } from "./exposition.ts";
import type { MetricRegistry } from "./registry.ts";

const HEADERS: HeaderList = ["content-type", EXPOSITION_CONTENT_TYPE];

/** Answers every request on the metrics port, whatever its path, as Dapr's exporter does (`/` and `/metrics` are in use). */
export function metricsHandler(registry: MetricRegistry): (exchange: HttpExchange) => void {
  return (exchange) => exchange.respond(200, HEADERS, registry.render());
}
