import { expect, it } from "vitest";
import type { HttpMiddleware } from "../components/spi/middleware.ts";
import { plainRequest } from "../components/spi/middleware.fixture.ts";
import type { Loaded } from "../inventory/types.ts";
import { LiveView } from "../inventory/view.ts";
import type { Logger } from "../kit/logger.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { createPipelines } from "./pipelines.ts";

const handler = (name: string, type: string, version = "") => ({
  name,
  type: `middleware.http.${type}`,
  version,
  fields: [],
});
const request = plainRequest("/");

/** A middleware that puts its name behind the target, and waits before it passes requests on where it is told to. */
function loaded(
  name: string,
  type: string,
  version = "v1",
  gate: Promise<void> = Promise.resolve(),
): Loaded<HttpMiddleware> {
  return {
    name,
    manifest: {
      family: "middleware",
      type: `middleware.http.${type}`,
      versions: [{ version: "v1", stability: "stable" }],
      capabilities: [],
      metadata: [],
      load: () => Promise.reject(new Error("loaded already")),
    },
    version,
    metadata: {},
    secretNames: {},
    component: {
      init: () => Promise.resolve(),
      close: () => Promise.resolve(),
      async handle(given, next) {
        await gate;
        return await next({ ...given, target: `${given.target}${name}${version} ` });
      },
    },
  };
}

function setUp(httpPipeline: ReturnType<typeof handler>[], appHttpPipeline: ReturnType<typeof handler>[] = []) {
  const view = new LiveView<HttpMiddleware>();
  const lines: string[] = [];
  const logger: Logger = { ...silentLogger, info: (line) => void lines.push(line), scope: () => logger };
  const pipelines = createPipelines({ httpPipeline, appHttpPipeline }, view, logger);
  const through = async (pipeline = pipelines.server): Promise<string> => {
    const response = await pipeline?.run(request, async ({ target }) => ({
      status: 200,
      headers: [],
      body: Buffer.from(target),
    }));
    return Buffer.from((response?.body ?? []) as Uint8Array).toString();
  };
  return { view, pipelines, through, lines };
}

it("without handlers there is no pipeline", () => {
  const { pipelines } = setUp([]);
  expect([pipelines.server, pipelines.app]).toEqual([undefined, undefined]);
});

it("handlers run in the order of the Configuration, those of the right type and version that are loaded", async () => {
  const { view, pipelines, through } = setUp(
    [
      handler("b", "x"),
      handler("a", "X", "v1"),
      handler("c", "other"),
      handler("d", "x", "v2"),
      handler("gone", "x"),
      handler("b", "x"),
    ],
    [handler("a", "x")],
  );
  expect(await through()).toBe("/");
  for (const [name, version] of [
    ["a", "v1"],
    ["b", "v1"],
    ["c", "v1"],
    ["d", "v2"],
  ] as const) {
    view.set(loaded(name, "x", version));
  }
  expect(await through()).toBe("/bv1 av1 dv2 bv1 ");
  expect(await through(pipelines.app)).toBe("/av1 ");
});

it("follows what is loaded, and says so in Dapr's words", async () => {
  const { view, through, lines } = setUp([handler("a", "x")]);
  view.set(loaded("a", "x"));
  view.set(loaded("a", "other"));
  expect(await through()).toBe("/");
  view.delete("a");
  expect(lines).toEqual([
    "Building pipeline server",
    "Adding middleware.http.x/v1 a middleware",
    "Building pipeline server",
    "Adding middleware.http.other/v1 a middleware",
    "Building pipeline server",
    "Removing middleware.http.other/v1 a middleware",
    "Building pipeline server",
  ]);
});

it("a request ends on the handlers it began with", async () => {
  const gate = Promise.withResolvers<void>();
  const { view, through } = setUp([handler("a", "x"), handler("b", "x")]);
  view.set(loaded("a", "x", "v1", gate.promise));
  view.set(loaded("b", "x"));
  const before = through();
  view.delete("b");
  const after = through();
  gate.resolve();
  expect([await before, await after]).toEqual(["/av1 bv1 ", "/av1 "]);
});
