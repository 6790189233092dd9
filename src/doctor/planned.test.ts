import { describe, expect, it } from "vitest";
import { defaultOptions } from "../sidecar/default-options.ts";
import type { Severity } from "./finding.ts";
import { type Case, component, findingsOf } from "./set-up.fixture.ts";

const STORE = component("store", "state.in-memory");
const BROKER = component("broker", "pubsub.in-memory");
const TWO_APPS = { shop: {}, stock: {} };

function resiliency(spec: string): string {
  return `apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: { name: rules }\nspec:\n${spec}`;
}
function subscription(broker: string): string {
  return `apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: { name: news }\nspec: { topic: t, pubsubname: ${broker}, routes: { default: /t } }\n`;
}
const MTLS = {
  mtls: {
    sentryAddress: "sentry.test:50001",
    controlPlane: { trustDomain: "localhost", namespace: "default" },
    trustAnchors: "no certificate",
    jwtAudiences: [],
    localIdentity: "",
    tokenFile: undefined,
  },
};
const RULES = (interval: string): string =>
  resiliency(
    `  policies:\n    timeouts: { slow: 10s }\n    circuitBreakers: { quick: { interval: ${interval}, timeout: 5s } }\n  targets:\n    components:\n      store: { outbound: { timeout: slow, circuitBreaker: quick } }\n`,
  );
const POLICIES =
  "  accessControl:\n    defaultAction: deny\n    policies:\n    - { appId: APP, defaultAction: allow, trustDomain: public, namespace: default }\n";

/** A fault, what is said of it and where, and the same set-up without it. */
interface Fault {
  readonly check: string;
  readonly name: string;
  readonly wrong: Case;
  readonly right: Case;
  readonly severity: Severity;
  readonly what: RegExp;
  readonly where?: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    check: "ports",
    name: "one port for two",
    wrong: { apps: { shop: { appPort: 6001 }, stock: { httpPort: 6001 } } },
    right: { apps: { shop: { appPort: 6001 }, stock: { httpPort: 6002 } } },
    severity: "error",
    what: /port 6001 is wanted twice: app port of shop, HTTP port of stock/,
  },
  {
    check: "ports",
    name: "a port that somebody has",
    wrong: {
      apps: { shop: { appPort: 6001 } },
      world: { isPortFree: () => Promise.resolve(false), portOwner: () => Promise.resolve("pid 7 (node x)") },
    },
    right: {
      apps: { shop: { appPort: 6001 } },
      setUp: { isUp: true },
      world: { isPortFree: () => Promise.resolve(false) },
    },
    severity: "error",
    what: /port 6001, its app port, is taken by pid 7 \(node x\)/,
  },
  {
    check: "resources",
    name: "a file that cannot be read",
    wrong: { files: { "a.yaml": "a: [" } },
    right: { files: { "a.yaml": STORE } },
    severity: "error",
    what: /a\.yaml/,
    where: /^a\.yaml:\d+$/,
  },
  {
    check: "resources",
    name: "a folder that is not there",
    wrong: { apps: { shop: { resourcesPaths: ["/nowhere/at/all"] } } },
    right: {},
    severity: "error",
    what: /no such file or directory/,
  },
  {
    check: "resources",
    name: "an unknown kind",
    wrong: { files: { "a.yaml": STORE.replace("kind: Component", "kind: Componet") } },
    right: { files: { "a.yaml": STORE } },
    severity: "warning",
    what: /unknown kind "Componet" is ignored; did you mean "Component"/,
    where: /^a\.yaml:1$/,
  },
  {
    check: "resources",
    name: "an unknown field",
    wrong: { files: { "a.yaml": STORE.replace("version: v1", "verison: v1") } },
    right: { files: { "a.yaml": STORE } },
    severity: "warning",
    what: /verison/,
    where: /^a\.yaml:7$/,
  },
  {
    check: "resources",
    name: "an unknown type",
    wrong: { files: { "a.yaml": component("store", "state.in-memroy") } },
    right: { files: { "a.yaml": STORE } },
    severity: "error",
    what: /store is of the type state\.in-memroy, which this runtime does not bring/,
    where: /^a\.yaml:6$/,
  },
  {
    check: "resources",
    name: "a type of a pluggable component that is not there",
    wrong: { files: { "a.yaml": component("own", "state.our-own") } },
    right: {
      files: { "a.yaml": component("own", "state.our-own") },
      environment: { DAPR_COMPONENTS_SOCKETS_FOLDER: "/sockets" },
      world: { socketNames: (folder) => Promise.resolve(folder === "/sockets" ? ["our-own"] : []) },
    },
    severity: "error",
    what: /own is of the type state\.our-own, which this runtime does not bring/,
    where: /^a\.yaml:6$/,
  },
  {
    check: "resources",
    name: "an unknown version",
    wrong: { files: { "a.yaml": STORE.replace("version: v1", "version: v7") } },
    right: { files: { "a.yaml": STORE } },
    severity: "error",
    what: /asks for version v7 of state\.in-memory/,
    where: /^a\.yaml:7$/,
  },
  {
    check: "resources",
    name: "metadata that is missing",
    wrong: { files: { "a.yaml": component("db", "state.sqlite") } },
    right: { files: { "a.yaml": component("db", "state.sqlite", { connectionString: 'value: ":memory:"' }) } },
    severity: "error",
    what: /component db: missing connection string/,
    where: /^a\.yaml:/,
  },
  {
    check: "resources",
    name: "metadata of the wrong kind",
    wrong: { files: { "a.yaml": component("r", "state.redis", { redisDB: "value: one" }) } },
    right: { files: { "a.yaml": component("r", "state.redis", { redisDB: 'value: "1"' }) } },
    severity: "error",
    what: /"redisDB" of component r must be a whole number/,
    where: /^a\.yaml:9$/,
  },
  {
    check: "resources",
    name: "metadata that the type does not have",
    wrong: { files: { "a.yaml": component("r", "state.redis", { redisHots: "value: redis.test:6379" }) } },
    right: {
      files: {
        "a.yaml": component("r", "state.redis", { redisHost: "value: redis.test:6379", keyPrefix: "value: name" }),
      },
    },
    severity: "warning",
    what: /no metadata field "redisHots", it is ignored; did you mean "redisHost"/,
    where: /^a\.yaml:9$/,
  },
  {
    check: "resources",
    name: "two components of one name",
    wrong: { files: { "a.yaml": STORE, "b.yaml": STORE } },
    right: { files: { "a.yaml": STORE, "b.yaml": BROKER } },
    severity: "error",
    what: /duplicate definition of Component name store/,
  },
  {
    check: "resources",
    name: "two stores of actors",
    wrong: {
      files: {
        "a.yaml": component("one", "state.in-memory", { actorStateStore: 'value: "true"' }),
        "b.yaml": component("two", "state.in-memory", { actorStateStore: 'value: "true"' }),
      },
    },
    right: { files: { "a.yaml": component("one", "state.in-memory", { actorStateStore: 'value: "true"' }) } },
    severity: "error",
    what: /one and two are both the store of actors' state/,
  },
  {
    check: "resources",
    name: "no store for actors",
    wrong: {
      files: { "a.yaml": STORE },
      apps: { shop: { placement: { ...defaultOptions("").placement, addresses: ["placement.test:50005"] } } },
    },
    right: { files: { "a.yaml": STORE } },
    severity: "warning",
    what: /none of its state stores \(store\) is the one of actors/,
  },
  {
    check: "scopes",
    name: "a component that no app can see",
    wrong: { apps: TWO_APPS, files: { "a.yaml": component("store", "state.in-memory", {}, "scopes: [shpo]") } },
    right: { apps: TWO_APPS, files: { "a.yaml": component("store", "state.in-memory", {}, "scopes: [shop]") } },
    severity: "error",
    what: /Component store is for the app shpo, which there is not; no app can see it/,
    where: /^a\.yaml:9$/,
  },
  {
    check: "scopes",
    name: "a scope of nobody",
    wrong: { apps: TWO_APPS, files: { "a.yaml": component("store", "state.in-memory", {}, "scopes: [shop, stok]") } },
    right: {
      setUp: { isWhole: false },
      files: { "a.yaml": component("store", "state.in-memory", {}, "scopes: [shop, stok]") },
    },
    severity: "warning",
    what: /for the app stok, which there is not$/,
    where: /^a\.yaml:9$/,
  },
  {
    check: "scopes",
    name: "a topic scope of nobody",
    wrong: {
      files: { "a.yaml": component("broker", "pubsub.in-memory", { publishingScopes: "value: shop=a;stok=b" }) },
    },
    right: { files: { "a.yaml": component("broker", "pubsub.in-memory", { publishingScopes: "value: shop=a" }) } },
    severity: "warning",
    what: /publishingScopes of broker names the app stok/,
    where: /^a\.yaml:9$/,
  },
  {
    check: "scopes",
    name: "a subscription to no broker",
    wrong: { files: { "a.yaml": BROKER, "b.yaml": subscription("brokr") } },
    right: { files: { "a.yaml": BROKER, "b.yaml": subscription("broker") } },
    severity: "error",
    what: /subscription news is on the broker brokr, which this app does not have/,
    where: /^b\.yaml:4$/,
  },
  {
    check: "scopes",
    name: "a subscription to what is no broker",
    wrong: { files: { "a.yaml": STORE, "b.yaml": subscription("store") } },
    right: { files: { "b.yaml": subscription("pubsub") }, setUp: { givenComponents: ["pubsub"] } },
    severity: "error",
    what: /is on store, which is of type state\.in-memory and no broker/,
    where: /^b\.yaml:4$/,
  },
  {
    check: "policies",
    name: "a policy that there is not",
    wrong: { files: { "a.yaml": STORE, "b.yaml": RULES("60s").replace("timeout: slow", "timeout: slwo") } },
    right: { files: { "a.yaml": STORE, "b.yaml": RULES("60s") } },
    severity: "error",
    what: /names the timeout policy slwo for components store, which there is not/,
    where: /^b\.yaml:10$/,
  },
  {
    check: "policies",
    name: "a policy that nobody uses",
    wrong: { files: { "b.yaml": resiliency("  policies:\n    retries: { again: { maxRetries: 3 } }\n") } },
    right: { files: { "b.yaml": resiliency("  policies:\n    retries: { DefaultRetryPolicy: { maxRetries: 3 } }\n") } },
    severity: "warning",
    what: /the retry policy again of resiliency rules is used by no target/,
    where: /^b\.yaml:6$/,
  },
  {
    check: "policies",
    name: "a policy that cannot be read",
    wrong: { files: { "a.yaml": STORE, "b.yaml": RULES("60s").replace("10s", "soon") } },
    right: { files: { "a.yaml": STORE, "b.yaml": RULES("60s") } },
    severity: "error",
    what: /Could not read resiliency policy rules/,
  },
  {
    check: "policies",
    name: "a target that there is not",
    wrong: { files: { "a.yaml": component("stroe", "state.in-memory"), "b.yaml": RULES("60s") } },
    right: { files: { "a.yaml": STORE, "b.yaml": RULES("60s") } },
    severity: "warning",
    what: /resiliency rules is for the component store, which there is not/,
    where: /^b\.yaml:10$/,
  },
  {
    check: "policies",
    name: "a breaker that forgets before a timeout",
    wrong: { files: { "a.yaml": STORE, "b.yaml": RULES("10s") } },
    right: { files: { "a.yaml": STORE, "b.yaml": RULES("11s") } },
    severity: "warning",
    what: /the circuit breaker quick forgets its counts every 10s, and the timeout slow ends a call after 10s/,
    where: /^b\.yaml:10$/,
  },
  {
    check: "policies",
    name: "access control without identities",
    wrong: { configuration: POLICIES.replace("APP", "shop") },
    right: { configuration: "  accessControl: { defaultAction: allow }\n" },
    severity: "error",
    what: /access control has 1 policies for callers, and its sidecar runs without mTLS/,
    where: /configuration:\d+$/,
  },
  {
    check: "policies",
    name: "access control of nobody",
    wrong: { configuration: POLICIES.replace("APP", "shpo") },
    right: { configuration: "  accessControl: { defaultAction: allow }\n" },
    severity: "warning",
    what: /access control has a policy for the app shpo/,
    where: /configuration:\d+$/,
  },
  {
    check: "policies",
    name: "access control that hides itself",
    wrong: {
      configuration: `${POLICIES.replace("APP", "shop")}    - { appId: shop, defaultAction: deny, trustDomain: public, namespace: default }\n`,
      apps: { shop: MTLS },
    },
    right: { configuration: POLICIES.replace("APP", "shop"), apps: { shop: MTLS } },
    severity: "warning",
    what: /the policy of shop in namespace default is replaced by the one in line/,
    where: /configuration:\d+$/,
  },
  {
    check: "policies",
    name: "access control without a trust domain",
    wrong: {
      configuration: POLICIES.replace("APP", "shop").replace("trustDomain: public, ", ""),
      apps: { shop: MTLS },
    },
    right: { configuration: POLICIES.replace("APP", "shop"), apps: { shop: MTLS } },
    severity: "error",
    what: /missing trustdomain for apps: \[shop\]/,
  },
  {
    check: "policies",
    name: "a policy that is said twice",
    wrong: {
      files: { "a.yaml": STORE, "b.yaml": RULES("60s"), "c.yaml": RULES("60s").replace("name: rules", "name: more") },
    },
    right: { files: { "a.yaml": STORE, "b.yaml": RULES("60s") } },
    severity: "warning",
    what: /resiliency more says policies timeouts slow again, which rules has said/,
    where: /^c\.yaml:6$/,
  },
  {
    check: "versions",
    name: "a Node that is too old",
    wrong: { world: { nodeVersion: "22.20.0" } },
    right: { world: { nodeVersion: "24.0.0" } },
    severity: "error",
    what: /this is Node 22\.20\.0/,
  },
  {
    check: "certificates",
    name: "anchors that are none",
    wrong: { apps: { shop: MTLS } },
    right: {},
    severity: "error",
    what: /the trust anchors hold no certificate/,
  },
  {
    check: "limits",
    name: "few open files",
    wrong: { world: { openFilesMax: () => Promise.resolve(1_024) } },
    right: { world: { openFilesMax: () => Promise.resolve(undefined) } },
    severity: "warning",
    what: /a process may have 1024 files open/,
  },
  ...(["missing", "not writable"] as const).map((fault): Fault => ({
    check: "limits",
    name: `a folder that is ${fault}`,
    wrong: {
      files: { "a.yaml": component("db", "state.sqlite", { connectionString: "value: data/state.db" }) },
      world: { folderFault: () => Promise.resolve(fault) },
    },
    right: { files: { "a.yaml": component("db", "state.sqlite", { connectionString: "value: data/state.db" }) } },
    severity: "error",
    what: new RegExp(`/data of component db is ${fault}$`),
    where: /^a\.yaml:8$/,
  })),
  {
    check: "limits",
    name: "a full disk",
    wrong: {
      files: { "a.yaml": component("db", "state.sqlite", { connectionString: "value: state.db" }) },
      world: { freeBytes: () => Promise.resolve(1_000) },
    },
    right: {
      files: { "a.yaml": component("db", "state.sqlite", { connectionString: 'value: "file::memory:"' }) },
      world: { freeBytes: () => Promise.resolve(1_000) },
    },
    severity: "error",
    what: /there are 0 MiB left for component db/,
  },
];

describe.each(FAULTS)("$check: $name", ({ check, wrong, right, severity, what, where }) => {
  it("is told where it is, and not where it is not", async () => {
    const found = (await findingsOf(wrong)).filter((one) => one.check === check && what.test(one.what));
    expect(found).toHaveLength(1);
    expect(found[0]?.severity).toBe(severity);
    if (where !== undefined) expect(found[0]?.where).toMatch(where);
    expect((await findingsOf(right)).filter((one) => one.check === check)).toEqual([]);
  });
});
