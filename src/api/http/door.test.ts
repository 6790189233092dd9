import { describe, expect, it } from "vitest";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { testDoor } from "./door.fixture.ts";
import type { Route, RouteHandler } from "./route.ts";

function route(path: string, handler: RouteHandler, extra: Partial<Route> = {}): Route {
  return { methods: ["GET", "POST"], path, group: { name: "test", version: "v1" }, name: "Test", handler, ...extra };
}

const echo: RouteHandler = (exchange, params, query) => exchange.respond(200, [], JSON.stringify({ params, query }));

describe("routing", () => {
  it("gives a route its places and its query, and the fallback the rest", async () => {
    const door = testDoor({ routes: [route("/v1.0/test/:one/*", echo)] });
    expect(JSON.parse((await door.call("GET", "/v1.0/test/a%20b/c/d?x=1?2")).text)).toEqual({
      params: { one: "a b", "*": "c/d" },
      query: "x=1?2",
    });
    expect((await door.call("DELETE", "/v1.0/test/a/b")).status).toBe(299);
    expect(door.done).toEqual(["Test: /v1.0/test/a%20b/c/d 200", "-: /v1.0/test/a/b 299"]);
  });

  it("answers a broken escape with 400 in plain text", async () => {
    const answer = await testDoor({ routes: [route("/v1.0/test/:one", echo)] }).call("GET", "/v1.0/test/%zz");
    expect(answer.status).toBe(400);
    expect(answer.headers).toContain("text/plain; charset=utf-8");
    expect(answer.text).toContain("invalid URL escape");
  });
});

describe("errors", () => {
  it("of the catalogue are answered as they are and told to the observer, thrown now or later", async () => {
    const failure = apiError(commonErrors.badRequest, { reason: "no" });
    const routes = [
      route("/now", () => {
        throw failure;
      }),
      route("/later", () => Promise.reject(failure)),
    ];
    const door = testDoor({ routes });
    for (const path of ["/now", "/later"]) {
      expect(await door.call("GET", path)).toMatchObject({
        status: 400,
        text: '{"errorCode":"ERR_BAD_REQUEST","message":"invalid request: no"}',
      });
    }
    expect(door.errors).toEqual([failure, failure]);
  });

  it("of any other kind are bugs: answered with ERR_INTERNAL, logged with their stack", async () => {
    const logged: string[] = [];
    const logger: Logger = { ...silentLogger, error: (message) => void logged.push(message) };
    const door = testDoor({ routes: [route("/bug", () => Promise.reject(new TypeError("oops")))], logger });
    expect(await door.call("GET", "/bug")).toMatchObject({
      status: 500,
      text: '{"errorCode":"ERR_INTERNAL","message":"oops"}',
    });
    expect(logged[0]).toMatch(/^bug: GET \/bug failed.*TypeError: oops\n\s+at /s);
  });

  it("of a body over the limit say the limit", async () => {
    const door = testDoor({
      routes: [
        route("/body", async (exchange) => {
          await exchange.readBody(4);
        }),
      ],
    });
    const answer = await door.call("POST", "/body", [], "12345");
    expect(answer.status).toBe(413);
    expect(answer.text).toContain("limit of 4 bytes");
  });

  it("after an answer has begun change nothing of it", async () => {
    const door = testDoor({
      routes: [
        route("/late", (exchange) => {
          exchange.respond(200, [], "fine");
          throw new Error("late");
        }),
      ],
    });
    expect(await door.call("GET", "/late")).toMatchObject({ status: 200, text: "fine" });
    expect(door.errors).toEqual([]);
  });
});

describe("the token", () => {
  const routes = [route("/v1.0/healthz", echo, { health: true }), route("/v1.0/test", echo)];

  it("is asked for everywhere but on health probes", async () => {
    const door = testDoor({ routes, apiToken: "secret" });
    for (const [method, path] of [
      ["GET", "/v1.0/test"],
      ["GET", "/nowhere"],
      ["POST", "/v1.0/healthz"],
      ["GET", "/v1.0/healthz/x"],
    ] as const) {
      expect(await door.call(method, path), path).toMatchObject({ status: 401, text: "invalid api token\n" });
    }
    expect((await door.call("GET", "/v1.0/healthz")).status).toBe(200);
    expect((await door.call("GET", "/v1.0/healthz/")).status).toBe(200);
    expect((await door.call("GET", "/v1.0/test", ["Dapr-Api-Token", "secret"])).status).toBe(200);
  });
});

describe("access rules", () => {
  const routes = [
    route("/v1.0/state/:store", echo, { group: { name: "state", version: "v1" } }),
    route("/v1.0-alpha1/state/:store/query", echo, { group: { name: "state", version: "v1alpha1" } }),
    route("/v1.0/healthz", echo, { group: { name: "healthz", version: "v1" }, health: true }),
  ];
  const statuses = async (
    accessRules: NonNullable<Parameters<typeof testDoor>[0]["accessRules"]>,
  ): Promise<number[]> => {
    const door = testDoor({ routes, accessRules });
    return [
      (await door.call("GET", "/v1.0/state/s")).status,
      (await door.call("GET", "/v1.0-alpha1/state/s/query")).status,
      (await door.call("GET", "/v1.0/healthz")).status,
    ];
  };
  const rule = (name: string, version: string, protocol = "http") => ({ name, version, protocol });

  it("take routes away by group or by the older path prefix; health routes stay", async () => {
    expect(await statuses({ allowed: [], denied: [] })).toEqual([200, 200, 200]);
    expect(await statuses({ allowed: [], denied: [rule("state", "v1")] })).toEqual([299, 200, 200]);
    expect(await statuses({ allowed: [], denied: [rule("state", "v1.0")] })).toEqual([299, 200, 200]);
    expect(await statuses({ allowed: [rule("state", "v1alpha1")], denied: [] })).toEqual([299, 200, 200]);
    expect(await statuses({ allowed: [rule("state", "v1")], denied: [rule("state", "v1")] })).toEqual([299, 299, 200]);
    expect(await statuses({ allowed: [], denied: [rule("healthz", "v1")] })).toEqual([200, 200, 200]);
  });

  it("of the other protocol change nothing here", async () => {
    expect(await statuses({ allowed: [rule("publish", "v1", "grpc")], denied: [rule("state", "v1", "grpc")] })).toEqual(
      [200, 200, 200],
    );
  });
});

it("two routes for one method and path are refused when the door is made", () => {
  expect(() => testDoor({ routes: [route("/a", echo), route("/a", echo)] })).toThrow("two routes");
});
