import { expect, test } from "vitest";
import { keyPrefixOf, storedKey } from "./key-prefix.ts";

const OWNER = { appId: "shop", namespace: "prod" };

test.each([
  [{}, "shop||"],
  [{ keyPrefix: "appid" }, "shop||"],
  [{ KEYPREFIX: "AppId" }, "shop||"],
  [{ keyPrefix: "name" }, "store||"],
  [{ keyPrefix: "namespace" }, "prod.shop||"],
  [{ keyPrefix: "none" }, ""],
  [{ keyPrefix: "Shared" }, "shared||"],
  [{ keyPrefix: "" }, "||"],
])("metadata %j gives the prefix %j", (metadata, prefix) => {
  expect(keyPrefixOf("store", metadata, OWNER)).toBe(prefix);
});

test("without a namespace the app id stands alone", () => {
  expect(keyPrefixOf("store", { keyPrefix: "namespace" }, { appId: "shop", namespace: "" })).toBe("shop||");
});

test("without an app id keys stand bare, except under a name or a text", () => {
  const nobody = { appId: "", namespace: "prod" };
  expect(keyPrefixOf("store", {}, nobody)).toBe("");
  expect(keyPrefixOf("store", { keyPrefix: "namespace" }, nobody)).toBe("");
  expect(keyPrefixOf("store", { keyPrefix: "name" }, nobody)).toBe("store||");
});

test("the separator is refused in keys and prefixes", () => {
  expect(() => keyPrefixOf("store", { keyPrefix: "A||b" }, OWNER)).toThrow(
    "input key/keyPrefix 'a||b' can't contain '||'",
  );
  expect(() => storedKey("store", "shop||", "a||b")).toThrow("input key/keyPrefix 'a||b' can't contain '||'");
});
