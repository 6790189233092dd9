import fc from "fast-check";
import { expect, it } from "vitest";
import type { Route } from "./route.ts";
import { BadEscapeError, Router } from "./router.ts";

const keyRoute: Route = {
  methods: ["GET"],
  path: "/v1.0/state/:store/:key",
  name: "GetState",
  group: { name: "state", version: "v1" },
  handler: () => undefined,
};
const router = new Router([keyRoute]);

it("gives back any value that was escaped into the path", () => {
  const value = fc
    .string({ minLength: 1, unit: "binary" })
    .filter((text) => !/^\.{1,2}$/.test(text) && text.isWellFormed());
  fc.assert(
    fc.property(value, (key) => {
      const escaped = encodeURIComponent(key).replaceAll("%20", "+");
      fc.pre(!escaped.startsWith("."));
      expect(router.find("GET", `/v1.0/state/store/${escaped}`)?.params).toEqual({ store: "store", key });
    }),
  );
});

it("answers or refuses any path, and never throws anything else", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (path) => {
      try {
        router.find("GET", `/${path}`);
      } catch (error) {
        expect(error).toBeInstanceOf(BadEscapeError);
      }
    }),
  );
});
