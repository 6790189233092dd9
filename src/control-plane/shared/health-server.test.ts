import { expect, it } from "vitest";
import { createHealth } from "../../blocks/control/health.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import { healthHandler } from "./health-server.ts";
import type { HealthPage } from "./types.ts";

const NO_BODY = new Uint8Array();

async function ask(handler: ReturnType<typeof healthHandler>, target: string, method = "GET") {
  const { status, headers, body } = await callInProcess(handler, { method, target, headers: [], body: NO_BODY });
  const type = headers[headers.indexOf("content-type") + 1];
  return `${status} ${headers.includes("content-type") ? type : "-"} ${Buffer.from(body as Uint8Array).toString()}`;
}

it("answers /healthz by its targets, with 503 as Dapr 1.18.3 does", async () => {
  const health = createHealth();
  const handler = healthHandler(health, new Map(), silentLogger);
  const target = health.addTarget("placement-grpc-server");
  expect(await ask(handler, "/healthz")).toBe("503 - ");
  target.ready();
  expect(await ask(handler, "/healthz?x=1")).toBe("200 - ");
  expect(await ask(handler, "/healthz", "POST")).toBe("200 - ");
  target.notReady();
  expect(await ask(handler, "/healthz")).toBe("503 - ");
});

it("answers a role's own pages with JSON, or with what went wrong", async () => {
  const pages = new Map<string, HealthPage>([
    ["/placement/state", () => '{"tables":{}}'],
    [
      "/broken",
      () => {
        throw new Error("no table");
      },
    ],
  ]);
  const handler = healthHandler(createHealth(), pages, silentLogger);
  expect(await ask(handler, "/placement/state")).toBe('200 application/json {"tables":{}}');
  expect(await ask(handler, "/broken")).toBe("500 text/plain; charset=utf-8 no table");
  expect(await ask(handler, "/else")).toBe("404 text/plain; charset=utf-8 404 page not found\n");
});
