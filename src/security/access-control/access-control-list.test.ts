import { describe, expect, test } from "vitest";
import { AccessControlList } from "./access-control-list.ts";
import { goLowerCase } from "./go-lower-case.ts";
import type { AccessControlDocument, AccessPolicyDocument } from "./document.ts";

const HERE = { file: "config.yaml", line: 7 };
const SHOP = { trustDomain: "public", namespace: "default", appId: "shop" };

function policy(over: Partial<AccessPolicyDocument> = {}): AccessPolicyDocument {
  return {
    appId: "shop",
    namespace: "default",
    trustDomain: "public",
    defaultAction: "deny",
    origin: HERE,
    operations: [
      { name: "/Public", httpVerbs: ["GET", "PUT"], action: "Allow", origin: { ...HERE, line: 9 } },
      { name: "any", httpVerbs: ["*"], action: "allow", origin: HERE },
      { name: "/gone", httpVerbs: ["DELETE", "*"], action: "deny", origin: HERE },
      { name: "/odd", httpVerbs: ["GET"], action: "alow", origin: HERE },
    ],
    ...over,
  };
}

function list(over: Partial<AccessControlDocument> = {}, isHttp = true): AccessControlList {
  return new AccessControlList(
    { defaultAction: "deny", trustDomain: "public", policies: [policy()], ...over },
    isHttp,
    HERE,
  );
}

const answer = (one: AccessControlList, caller: typeof SHOP | undefined, path: string, verb = "GET") => {
  const { allowed, level } = one.check(caller, path, verb);
  return `${level} ${allowed ? "allow" : "deny"}`;
};

describe("for an HTTP app", () => {
  test.each([
    ["/public", "GET", "app allow"],
    ["public", "PUT", "app allow"],
    ["pUbLiC/below", "GET", "app allow"],
    ["public", "POST", "app deny"],
    ["public", "NONE", "app deny"],
    ["any", "PATCH", "app allow"],
    ["gone", "GET", "app deny"],
    ["odd", "GET", "app deny"],
    ["other", "GET", "app deny"],
  ])("%s with %s: %s", (path, verb, expected) => {
    expect(answer(list(), SHOP, path, verb)).toBe(expected);
  });

  test("a policy without a default of its own has the list's, but none for a call without a verb", () => {
    const one = list({ defaultAction: "allow", policies: [policy({ defaultAction: "" })] });
    expect(answer(one, SHOP, "other")).toBe("global allow");
    expect(answer(one, SHOP, "gone", "DELETE")).toBe("global deny");
    expect(answer(one, SHOP, "public", "NONE")).toBe("global deny");
  });
});

test("an app that speaks gRPC is asked for its methods as they are written, whatever the verb", () => {
  const one = list({}, false);
  expect(answer(one, SHOP, "/Public", "NONE")).toBe("app allow");
  expect(answer(one, SHOP, "/public", "NONE")).toBe("app deny");
  expect(answer(one, SHOP, "any", "NONE")).toBe("app allow");
});

test.each([
  ["nobody", undefined],
  ["another app", { ...SHOP, appId: "other" }],
  ["the same app of another namespace", { ...SHOP, namespace: "prod" }],
  ["the same app of another trust domain", { ...SHOP, trustDomain: "evil" }],
])("%s has no policy: the list's default", (_, caller) => {
  expect(answer(list(), caller, "public")).toBe("global deny");
  expect(answer(list({ defaultAction: "ALLOW" }), caller, "gone")).toBe("global allow");
});

test("one app has a policy for each of its namespaces, and of two for the same the later counts", () => {
  const one = list({
    policies: [policy(), policy({ namespace: "prod", defaultAction: "allow" }), policy({ operations: [] })],
  });
  expect(answer(one, { ...SHOP, namespace: "prod" }, "other")).toBe("app allow");
  expect(answer(one, SHOP, "public")).toBe("app deny");
});

test("a verdict says which rule it comes from, and where that was written", () => {
  const one = list();
  expect(one.check(SHOP, "public", "GET").rule).toEqual({
    text: "operation /public with verb GET of policy shop",
    origin: { file: "config.yaml", line: 9 },
  });
  expect(one.check(SHOP, "other", "GET").rule.text).toBe("the default action of policy shop");
  expect(one.check(undefined, "public", "GET").rule).toEqual({ text: "the default action, deny", origin: HERE });
});

test("lower case is Go's, character by character", () => {
  expect(goLowerCase("/ÄB")).toBe("/äb");
  expect(goLowerCase("/İΣ")).toBe("/iσ");
  expect(goLowerCase("/\u212a")).toBe("/k");
});
