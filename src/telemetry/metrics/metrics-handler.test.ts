import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import type { HttpRequest } from "../../net/http/types.ts";
import { counter } from "./definition.ts";
import { metricsHandler } from "./metrics-handler.ts";
import { MetricRegistry } from "./registry.ts";

const SCRAPE: HttpRequest = { method: "GET", target: "/anything", headers: [], body: new Uint8Array(0) };

async function scraped(
  series: number,
): Promise<{ readonly text: string; readonly whole: boolean; readonly expected: string }> {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const calls = registry.counter(counter("calls", "Calls.", ["app_id", "path"]));
  for (let each = 0; each < series; each++) {
    calls.series(["shop", `/${each}${"x".repeat(200)}`]).increment();
  }
  const { status, body } = await callInProcess(metricsHandler(registry), SCRAPE);
  expect(status).toBe(200);
  if (body instanceof Uint8Array) {
    return { text: Buffer.from(body).toString(), whole: true, expected: registry.render() };
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString(), whole: chunks.length === 1, expected: registry.render() };
}

it("answers any path with the whole exposition", async () => {
  const { text, whole, expected } = await scraped(3);
  expect(whole).toBe(true);
  expect(text).toBe(expected);
});

it("sends a long one in pieces", async () => {
  const { text, whole, expected } = await scraped(1_000);
  expect(whole).toBe(false);
  expect(text).toBe(expected);
});
