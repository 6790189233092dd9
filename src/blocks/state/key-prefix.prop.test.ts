import fc from "fast-check";
import { expect, test } from "vitest";
import { keyPrefixOf, storedKey } from "./key-prefix.ts";

const strategy = fc.constantFrom("appid", "name", "namespace", "none", "Shared", "");
const key = fc.string().filter((text) => !text.includes("||"));

test("a stored key is prefix and key, and gives the key back by taking the prefix off", () => {
  fc.assert(
    fc.property(strategy, key, (keyPrefix, text) => {
      const prefix = keyPrefixOf("store", { keyPrefix }, { appId: "shop", namespace: "prod" });
      const stored = storedKey("store", prefix, text);
      expect(stored.startsWith(prefix)).toBe(true);
      expect(stored.slice(prefix.length)).toBe(text);
      expect(stored.split("||").length).toBe(prefix === "" ? 1 : 2);
    }),
  );
});
