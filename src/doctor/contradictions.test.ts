import { expect, it } from "vitest";
import type { CheckedFinding } from "./finding.ts";
import { component, findingsOf } from "./set-up.fixture.ts";

/** A resiliency resource for the app `shop`, or for what the lines of `targets` say. */
function resiliency(policies: string, targets: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: rules }
spec:
  policies:
    ${policies}
  targets:
    ${targets}
`;
}
const retry = (rule: string): string => resiliency(`retries: { again: ${rule} }`, "apps: { shop: { retry: again } }");
const breaker = (trip: string): string =>
  resiliency(`circuitBreakers: { rest: { timeout: 5s, trip: "${trip}" } }`, "apps: { shop: { circuitBreaker: rest } }");
const target = (name: string, direction: string): string =>
  resiliency("timeouts: { slow: 10s }", `components: { ${name}: { ${direction}: { timeout: slow } } }`);

const COMPONENTS = {
  "store.yaml": component("store", "state.in-memory"),
  "broker.yaml": component("broker", "pubsub.in-memory"),
  "upper.yaml": component("upper", "middleware.http.uppercase"),
};

it.each<[name: string, wrong: string, right: string, what: RegExp]>([
  [
    "a retry that repeats nothing",
    retry("{ policy: constant, duration: 1s, maxRetries: 0 }"),
    retry("{ policy: constant, duration: 1s, maxRetries: 1 }"),
    /^for apps shop, the retry again repeats nothing$/,
  ],
  [
    "a retry for HTTP answers that are no failures",
    retry('{ policy: constant, matching: { httpStatusCodes: "200-302" } }'),
    retry('{ policy: constant, matching: { httpStatusCodes: "302,500-599" } }'),
    /^for apps shop, the retry again matches no failure over HTTP/,
  ],
  [
    "a retry for no code at all",
    retry('{ policy: constant, matching: { httpStatusCodes: "," } }'),
    retry('{ policy: constant, matching: { httpStatusCodes: "" } }'),
    /^for apps shop, the retry again matches no failure over HTTP/,
  ],
  [
    "a retry for the gRPC status of what went well",
    retry('{ policy: constant, matching: { gRPCStatusCodes: "0" } }'),
    retry('{ policy: constant, matching: { gRPCStatusCodes: "0-2,14" } }'),
    /^for apps shop, the retry again matches no failure over gRPC/,
  ],
  [
    "a breaker that waits for successes",
    breaker("totalFailures > 3 && consecutiveSuccesses > 1"),
    breaker("totalFailures > 3 && consecutiveFailures > 1"),
    /^for apps shop, the circuit breaker rest does not open however many calls fail in a row$/,
  ],
  [
    "a breaker with a misspelt count",
    breaker("consecutiveFailure > 3"),
    breaker("consecutiveFailures > 3"),
    /^for apps shop, the circuit breaker rest does not open/,
  ],
  [
    "policies for what comes in from a store",
    target("store", "inbound"),
    target("broker", "inbound"),
    /^for components store, there are inbound policies, and a component of the type state\.in-memory has no inbound calls$/,
  ],
  [
    "policies for a middleware",
    target("upper", "outbound"),
    target("store", "outbound"),
    /^for components upper, there are outbound policies, and a component of the type middleware\.http\.uppercase/,
  ],
])("says what policies cannot do: %s", async (_name, wrong, right, what) => {
  const told = async (rules: string): Promise<readonly CheckedFinding[]> =>
    (await findingsOf({ files: { ...COMPONENTS, "rules.yaml": rules } })).filter(({ check }) => check === "policies");
  const found = await told(wrong);
  expect(found.map((one) => one.what)).toEqual([expect.stringMatching(what)]);
  expect(found[0]).toMatchObject({ severity: "warning", where: "rules.yaml:8" });
  expect(await told(right)).toEqual([]);
});
