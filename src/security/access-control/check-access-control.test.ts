import { expect, test } from "vitest";
import { checkAccessControl } from "./check-access-control.ts";
import type { AccessOperationDocument, AccessPolicyDocument } from "./document.ts";

function policy(over: Partial<AccessPolicyDocument>): AccessPolicyDocument {
  return {
    appId: "a",
    namespace: "default",
    trustDomain: "public",
    defaultAction: "",
    operations: [],
    origin: { file: "c.yaml", line: 3 },
    ...over,
  };
}

function operation(name: string, line: number, over: Partial<AccessOperationDocument> = {}): AccessOperationDocument {
  return { name, httpVerbs: ["GET"], action: "allow", origin: { file: "c.yaml", line }, ...over };
}

const documentOf = (...policies: AccessPolicyDocument[]) => ({
  defaultAction: "deny",
  trustDomain: "public",
  policies,
});

test("policies that name no caller are refused in Dapr's words, with their places", () => {
  const faulty = documentOf(
    policy({ trustDomain: "" }),
    policy({ appId: "b", namespace: "", trustDomain: "", origin: { file: "c.yaml", line: 5 } }),
    policy({ appId: "", origin: { file: "c.yaml", line: 8 } }),
    policy({ appId: "fine" }),
  );
  expect(() => checkAccessControl(faulty, true)).toThrow(
    "invalid access control spec. missing trustdomain for apps: [a b], missing namespace for apps: [b], " +
      "missing app name on at least one of the app policies: true " +
      "(what is missing where: c.yaml:3: trustDomain; c.yaml:5: trustDomain, namespace; c.yaml:8: appId)",
  );
});

test("nothing is said about policies that mean what they say", () => {
  const fine = policy({ defaultAction: "Deny", operations: [operation("/a", 4), operation("/b/**", 5)] });
  expect(checkAccessControl(documentOf(fine, policy({ namespace: "prod" })), true)).toEqual([]);
});

test.each<[AccessPolicyDocument, string]>([
  [policy({ defaultAction: "alow" }), 'c.yaml:3: action "alow" is neither allow nor deny, and denies'],
  [policy({ operations: [operation("/a", 4, { action: "" })] }), 'c.yaml:4: action "" is neither'],
  [policy({ operations: [operation("/a", 4, { httpVerbs: ["get"] })] }), 'c.yaml:4: httpVerb "get" is none'],
  [policy({ operations: [operation("/a", 4, { httpVerbs: [] })] }), "c.yaml:4: operation /a lists no httpVerb"],
  [policy({ operations: [operation("/a/*/b", 4)] }), 'c.yaml:4: operation /a/*/b: "*" before the end'],
  [policy({ operations: [operation("/a/**/b", 4)] }), 'c.yaml:4: operation /a/**/b: "**" before the end'],
  [
    policy({ operations: [operation("/a/b", 4), operation("a", 5)] }),
    "c.yaml:4: operation /a/b does not decide about its own path: a in line 5 is found first",
  ],
  [
    policy({ operations: [operation("/A", 4), operation("/a", 5, { httpVerbs: ["PUT"] })] }),
    "c.yaml:5: operation /a does not decide about its own path: /A in line 4",
  ],
])("%j surprises", (one, text) => {
  const [finding] = checkAccessControl(documentOf(one), true);
  expect(`${finding?.origin.file}:${finding?.origin.line}: ${finding?.text}`).toContain(text);
});

test("a second policy for the same caller replaces the first", () => {
  const second = policy({ origin: { file: "c.yaml", line: 9 } });
  expect(checkAccessControl(documentOf(policy({}), second), true)).toEqual([
    {
      origin: { file: "c.yaml", line: 3 },
      text: "the policy of a in namespace default is replaced by the one in line 9",
    },
  ]);
});

test("verbs and case say nothing to an app that speaks gRPC", () => {
  const one = policy({ operations: [operation("/A", 4, { httpVerbs: [] }), operation("/a", 5)] });
  expect(checkAccessControl(documentOf(one), false)).toEqual([]);
});
