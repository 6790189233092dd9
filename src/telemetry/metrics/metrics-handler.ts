import { nextTurn } from "../../kit/turn.ts";
import type { BodyWriter, HeaderList, HttpExchange } from "../../net/http/types.ts";
import { EXPOSITION_CONTENT_TYPE } from "./exposition.ts";
import type { MetricRegistry } from "./registry.ts";

const HEADERS: HeaderList = ["content-type", EXPOSITION_CONTENT_TYPE];

/**
 * Answers every request on the metrics port, whatever its path, as Dapr's exporter does (`/` and `/metrics` are in use).
 * A long exposition goes out in pieces with a turn of the event loop between them, so that no scrape holds up calls.
 */
export function metricsHandler(registry: MetricRegistry): (exchange: HttpExchange) => void {
  return (exchange) => {
    const pieces = registry.pieces();
    const first = pieces.next().value ?? "";
    const second = pieces.next();
    if (second.done === true) {
      exchange.respond(200, HEADERS, first);
      return;
    }
    const writer = exchange.startResponse(200, HEADERS);
    // A scraper that goes away has had what it wanted.
    write(writer, [first, second.value], pieces).catch(() => writer.abort());
  };
}

async function write(writer: BodyWriter, begun: readonly string[], rest: Iterable<string>): Promise<void> {
  const encoder = new TextEncoder();
  for (const piece of begun) {
    await writer.write(encoder.encode(piece));
  }
  for (const piece of rest) {
    await writer.write(encoder.encode(piece));
    await nextTurn();
  }
  writer.end();
}
