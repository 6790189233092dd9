import { expect, it } from "vitest";
import { openMiddleware } from "../spi/middleware.fixture.ts";
import { routerAliasManifest } from "./manifest.ts";

const ROUTES = {
  "/v1.0/mall/activity/info": "/v1.0/invoke/srv.default/method/mall/activity/info",
  "/v1.0/hello/activity/{id}/info": "/v1.0/invoke/srv.default/method/hello/activity/info",
  "/v1.0/hello/activity/{id}/user": "/v1.0/invoke/srv.default/method/hello/activity/user",
  "/n/{number:[0-9]+}/{rest:.*}": "/numbers and more",
};
const YAML = Object.entries(ROUTES)
  .map(([from, to]) => `"${from}": "${to}"`)
  .join("\n");

it.each([
  ["pairs", ROUTES],
  ["JSON", { routes: JSON.stringify(ROUTES) }],
  ["JSON with tabs and a comma too many", { Routes: JSON.stringify(ROUTES, null, "\t").replace(/\n}$/, ",\n}") }],
  ["YAML", { routes: YAML }],
])("routes as %s", async (_how, metadata) => {
  const { ask } = await openMiddleware(routerAliasManifest, metadata);
  const passed = async (target: string): Promise<string | undefined> => (await ask(target)).passed?.target;
  expect(await passed("/v1.0/mall/activity/info?id=123")).toBe(
    "/v1.0/invoke/srv.default/method/mall/activity/info?id=123",
  );
  expect(await passed("/v1.0/hello/activity/1/info")).toBe("/v1.0/invoke/srv.default/method/hello/activity/info?id=1");
  expect(await passed("/v1.0/hello/activity/1/user?userid=123")).toBe(
    "/v1.0/invoke/srv.default/method/hello/activity/user?id=1&userid=123",
  );
  expect(await passed("/v1.0/hello/activity/a%20b/user")).toBe(
    "/v1.0/invoke/srv.default/method/hello/activity/user?id=a+b",
  );
  expect(await passed("/n/12/a/b")).toBe("/numbers%20and%20more?number=12&rest=a%2Fb");
  for (const other of [
    "/v1.0/invoke/srv.default",
    "/n/x/y",
    "/v1.0/hello/activity/1/2/user",
    "/v1.0/mall/activity/info/",
    "*",
  ]) {
    expect(await passed(other)).toBe(other);
  }
});

it("nothing to alias is no error", async () => {
  const { ask } = await openMiddleware(routerAliasManifest, {});
  expect((await ask("/a")).passed?.target).toBe("/a");
});

it("a route that is none is left out and named", async () => {
  const routes = JSON.stringify({
    "no-slash": "/x",
    "/{": "/x",
    "/{a}}": "/x",
    "/{:b}": "/x",
    "/{n:(}": "/x",
    "/good": "/x",
  });
  const { ask, logged } = await openMiddleware(routerAliasManifest, { routes });
  expect((await ask("/good")).passed?.target).toBe("/x");
  expect(logged.filter((line) => line.startsWith("error: component middle: the route "))).toHaveLength(5);
});

it.each([
  [{ routes: "[1]" }, /^failed to decode 'routes' property as JSON or YAML: it is no object of paths$/],
  [{ routes: '{"/a":{"b":1}}' }, /^failed to decode 'routes' property as JSON or YAML: the value of "\/a" is no path$/],
  [{ routes: "{" }, /^failed to decode 'routes' property as JSON or YAML: /],
  [{ "/a": "" }, /^invalid key\/value pair in metadata: must not be empty$/],
])("%j does not start", async (metadata, message) => {
  await expect(openMiddleware(routerAliasManifest, metadata as Record<string, string>)).rejects.toThrow(message);
});
