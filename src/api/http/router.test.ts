import { describe, expect, it } from "vitest";
import type { Route } from "./route.ts";
import { BadEscapeError, Router } from "./router.ts";

function route(methods: string[], path: string): Route {
  return {
    methods,
    path,
    name: `${methods.join()} ${path}`,
    group: { name: "test", version: "v1" },
    handler: () => undefined,
  };
}

const router = new Router([
  route(["GET", "DELETE"], "/v1.0/state/:store/:key"),
  route(["POST", "PUT"], "/v1.0/state/:store/bulk"),
  route(["POST", "PUT"], "/v1.0/state/:store"),
  route(["POST"], "/v1.0/publish/:pubsub/*"),
  route(["*"], "/v1.0/invoke/:app/method/*"),
]);

function find(method: string, path: string) {
  const match = router.find(method, path);
  return match === undefined ? undefined : { name: match.route.name, params: match.params };
}

describe("Router", () => {
  it("gives the places' values", () => {
    expect(find("GET", "/v1.0/state/store/key")).toEqual({
      name: "GET,DELETE /v1.0/state/:store/:key",
      params: { store: "store", key: "key" },
    });
  });

  it("prefers a literal segment only where it has the method", () => {
    expect(find("POST", "/v1.0/state/store/bulk")?.name).toBe("POST,PUT /v1.0/state/:store/bulk");
    expect(find("GET", "/v1.0/state/store/bulk")?.params).toEqual({ store: "store", key: "bulk" });
  });

  it("unescapes values once, plus signs being spaces", () => {
    expect(find("GET", "/v1.0/state/my%20store/a%2Fb+c%252F")?.params).toEqual({ store: "my store", key: "a/b c%2F" });
  });

  it("refuses a broken escape", () => {
    expect(() => find("GET", "/v1.0/state/store/%zz")).toThrow(BadEscapeError);
  });

  it("takes the rest of the path, slashes included, and any method where the route says so", () => {
    expect(find("POST", "/v1.0/publish/broker/a/b")?.params).toEqual({ pubsub: "broker", "*": "a/b" });
    expect(find("PATCH", "/v1.0/invoke/app/method/x/y")?.params).toEqual({ app: "app", "*": "x/y" });
  });

  it("cleans doubled slashes and dots, and strips a trailing slash where only that matches", () => {
    expect(find("GET", "//v1.0/state/./store//x/../key")?.params).toEqual({ store: "store", key: "key" });
    expect(find("POST", "/v1.0/state/store/")?.name).toBe("POST,PUT /v1.0/state/:store");
  });

  it("finds nothing for unknown methods and paths", () => {
    expect(find("PATCH", "/v1.0/state/store/key")).toBeUndefined();
    expect(find("GET", "/nothing")).toBeUndefined();
    expect(find("GET", "/v1.0/state//key")).toBeUndefined();
  });

  it("refuses two routes for one method and path", () => {
    expect(() => new Router([route(["GET"], "/a"), route(["GET"], "/a")])).toThrow("two routes for GET /a");
  });
});
