import { expect, test } from "vitest";
import { ApiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { AccessControlList } from "../../security/access-control/access-control-list.ts";
import { AccessCheck } from "./access-check.ts";

const HERE = { file: "c.yaml", line: 1 };
const SHOP = { trustDomain: "public", namespace: "default", appId: "shop" };

function check(denied: readonly string[], isHttp = true) {
  const operations = denied.map((name) => ({ name, httpVerbs: ["*"], action: "deny", origin: HERE }));
  const policy = { ...SHOP, defaultAction: "allow", operations, origin: HERE };
  const list = new AccessControlList({ defaultAction: "allow", trustDomain: "public", policies: [policy] }, isHttp);
  const decided: string[] = [];
  const access = new AccessCheck({
    list,
    metrics: { decided: (caller, level, allowed) => decided.push(`${caller?.appId} ${level} ${allowed}`) },
  });
  const refusal = (path: string, verb?: string, caller: typeof SHOP | undefined = SHOP): ApiError | undefined => {
    try {
      access.require(caller, path, verb);
      return undefined;
    } catch (error) {
      return error as ApiError;
    }
  };
  return { refusal, decided };
}

test("a refusal has Dapr's status and words, and both outcomes are counted", () => {
  const { refusal, decided } = check(["/admin"]);
  expect(refusal("orders", "GET")).toBeUndefined();
  const error = refusal("admin", "GET");
  expect(error).toBeInstanceOf(ApiError);
  expect([error?.httpStatus, error?.grpcStatus, error?.message]).toEqual([
    403,
    GRPC_STATUS.PERMISSION_DENIED,
    "access control policy has denied access to id: spiffe://public/ns/default/shop operation: admin verb: GET",
  ]);
  expect(decided).toEqual(["shop app true", "shop app false"]);
});

test.each([
  "%61dmin",
  "%2561dmin",
  "x/%2e%2e/admin",
  "x%2F..%2Fadmin",
  "admin;jsessionid=1",
  "admin%3Bx",
  "x\\..\\admin",
  "x%5C..%5cadmin",
  "ADMIN%2Fusers",
  "admin%00",
  "admin%23",
  "admin%3f",
  "%C1%A1dmin",
  "x%C0%AF..%c0%afadmin",
  `%${"25".repeat(100)}41`,
])("%s may be /admin to an HTTP app, and is refused", (path) => {
  expect(check(["/admin", "/admin/**"]).refusal(path, "GET")?.grpcStatus).toBe(GRPC_STATUS.PERMISSION_DENIED);
});

test.each(["a%20b", "administrators", "50%25", "x;v=1/y"])("%s is nothing of /admin", (path) => {
  expect(check(["/admin"]).refusal(path, "GET")).toBeUndefined();
});

test("an app that speaks gRPC reads nothing into a name, and refusals name no verb", () => {
  const { refusal } = check(["/admin"], false);
  expect(refusal("%61dmin")).toBeUndefined();
  expect(refusal("/admin", "GET")?.message).toMatch(/operation: \/admin verb: NONE$/);
});

test("a refusal repeats only the beginning of a long path", () => {
  const message = check(["/**"]).refusal("a".repeat(65_536), "GET")?.message ?? "";
  expect(message).toContain(`operation: ${"a".repeat(1024)}… verb: GET`);
});

test("without a certificate the id is empty, and paths are not read at all", () => {
  const policy = { ...SHOP, defaultAction: "allow", operations: [], origin: HERE };
  const list = new AccessControlList({ defaultAction: "deny", trustDomain: "public", policies: [policy] }, true);
  expect(() => new AccessCheck({ list }).require(undefined, "a", "GET")).toThrow(
    "access control policy has denied access to id:  operation: a verb: GET",
  );
});
