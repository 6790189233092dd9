import { expect, it } from "vitest";
import type { Component, ComponentDeps, ComponentManifest, ComponentMetadata } from "../components/spi/component.ts";
import { ComponentError } from "../components/spi/errors.ts";
import type { Logger } from "../kit/logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { ComponentResource } from "../resources/component.ts";
import { componentLogName } from "../resources/resource.ts";
import { createInventory } from "./inventory.ts";
import type { InventoryOptions } from "./options.ts";
import { createSharedScope } from "./shared-scope.ts";
import { CLOSE_MS_MAX } from "./starter.ts";

const START_MS = 1_000_000;

/** What `init` of each component does; by name, and it may change between attempts. */
type Behaviour = (metadata: ComponentMetadata, signal: AbortSignal) => Promise<void>;

const refused: Behaviour = () => Promise.reject(new ComponentError("unavailable", "refused"));
const fine: Behaviour = () => Promise.resolve();
const endless: Behaviour = () => new Promise(() => undefined);
const STUCK = "stuck";

function setUp(more: Partial<InventoryOptions> = {}) {
  const clock = new VirtualClock(START_MS);
  const lines: string[] = [];
  /** `<seconds since the start> <name>` of every `init`. */
  const inits: string[] = [];
  const closed: string[] = [];
  const behaviour = new Map<string, Behaviour>();
  const instances = new Map<string, ComponentDeps>();
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: Logger = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    fatal: write("fatal"),
    enabled: () => true,
    scope: () => logger,
  };
  const create = (deps: ComponentDeps): Component & { getSecret(): Promise<Record<string, string>> } => {
    instances.set(deps.name, deps);
    return {
      async init(metadata, signal) {
        inits.push(`${(clock.now() - START_MS) / 1_000} ${deps.name}`);
        await (behaviour.get(deps.name) ?? fine)(metadata, signal);
      },
      async close() {
        closed.push(deps.name);
        await (deps.name === STUCK ? new Promise(() => undefined) : undefined);
      },
      getSecret: async () => ({ key: "hidden" }),
    };
  };
  const manifestOf = (family: "state" | "secretstores"): ComponentManifest => ({
    family,
    type: `${family}.a`,
    versions: [{ version: "v1", stability: "stable" }],
    capabilities: [],
    metadata: [],
    load: async () => create,
  });
  const inventory = createInventory({
    manifests: [manifestOf("state"), manifestOf("secretstores")],
    clock,
    logger,
    appId: "app",
    namespace: "",
    podName: "",
    denied: [],
    environment: {},
    random: { uuid: () => "uuid", bytes: (length) => new Uint8Array(length), next: () => 0.5 },
    shared: createSharedScope(),
    ...more,
  });
  const conditions = (): Record<string, string> =>
    Object.fromEntries(
      inventory
        .conditions()
        .map(({ name, condition, reason }) => [name, reason === "" ? condition : `${condition} ${reason}`]),
    );
  return { inventory, clock, lines, inits, closed, behaviour, instances, conditions };
}

function resource(name: string, more: Partial<ComponentResource> = {}): ComponentResource {
  const type = more.type ?? "state.a";
  return {
    name,
    type,
    version: "v1",
    namespace: "",
    scopes: [],
    ignoreErrors: true,
    initTimeoutMs: 5_000,
    metadata: [],
    secretStore: "",
    logName: componentLogName(name, type, "v1"),
    origin: { file: "components.yaml", line: 3 },
    ...more,
  };
}

const withSecret = {
  secretStore: "vault",
  metadata: [{ name: "password", value: undefined, secretKeyRef: { name: "s", key: "key" }, envRef: "" }],
};

/** Lets everything happen that needs no more time. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Second by second, so that each attempt falls on the second that it is due. */
async function pass(clock: VirtualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    await settle();
  }
}

it("tries again after 1 s, then twice as long each time up to 60 s", async () => {
  const { inventory, clock, inits, lines, behaviour, conditions } = setUp();
  behaviour.set("store", refused);
  await inventory.load([resource("store")]);
  expect(conditions()).toEqual({ store: "failed refused" });
  const said = lines.filter((line) => !line.startsWith("debug"));
  expect(said).toHaveLength(2);
  await pass(clock, 190);
  expect(inits.map((line) => Number(line.split(" ")[0]))).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  expect(lines.filter((line) => !line.startsWith("debug"))).toEqual(said);
  expect(inventory.conditions()[0]?.sinceMs).toBe(START_MS);
  await inventory.close();
  expect(clock.pendingTimers).toBe(0);
});

it("publishes what came up at last, and begins anew with the pauses of another failure", async () => {
  const { inventory, clock, lines, behaviour, instances, conditions } = setUp();
  const seen: string[] = [];
  inventory.state.watch((name, loaded) => void seen.push(`${name} ${loaded === undefined ? "gone" : "there"}`));
  behaviour.set("store", refused);
  await inventory.load([resource("store"), resource("other")]);
  expect(seen).toEqual(["other there"]);
  behaviour.set("store", fine);
  await pass(clock, 1);
  expect(seen).toEqual(["other there", "store there"]);
  expect(lines.at(-1)).toBe("info Component loaded: store (state.a/v1)");
  expect(conditions()).toEqual({ store: "ready", other: "ready" });
  expect(clock.pendingTimers).toBe(0);
  instances.get("store")?.report("degraded", "lost");
  expect(conditions()).toEqual({ store: "degraded lost", other: "ready" });
  behaviour.set("store", refused);
  await inventory.replace(resource("store"));
  behaviour.set("store", fine);
  await pass(clock, 1);
  expect(conditions()).toEqual({ other: "ready", store: "ready" });
  await inventory.close();
});

it("loads what waited for a secret store that came late, and retries those that fail then", async () => {
  const { inventory, clock, lines, behaviour, conditions } = setUp();
  behaviour.set("vault", refused);
  behaviour.set("late", refused);
  behaviour.set("strict", refused);
  await inventory.load([
    resource("vault", { type: "secretstores.a" }),
    resource("late", withSecret),
    resource("strict", { ...withSecret, ignoreErrors: false }),
    resource("store", withSecret),
  ]);
  const waiting = "waiting for secret store vault";
  expect(conditions()).toEqual({ vault: "failed refused", late: waiting, strict: waiting, store: waiting });
  behaviour.delete("vault");
  await pass(clock, 1);
  expect(conditions()).toEqual({ vault: "ready", late: "failed refused", strict: "failed refused", store: "ready" });
  expect(inventory.state.get("store")?.metadata).toEqual({ password: "hidden" });
  expect(lines.filter((line) => line.startsWith("error Ignoring error processing component: "))).toHaveLength(3);
  behaviour.clear();
  await pass(clock, 1);
  expect(conditions()).toEqual({ vault: "ready", late: "ready", strict: "failed refused", store: "ready" });
  expect(clock.pendingTimers).toBe(0);
  await inventory.close();
});

it.each([
  ["invalidMetadata", resource("store"), () => Promise.reject(new ComponentError("invalidMetadata", "no"))],
  ["unsupported", resource("store"), () => Promise.reject(new ComponentError("unsupported", "no"))],
  ["an unknown type", resource("store", { type: "state.b" }), fine],
  ["an incorrect type", resource("store", { type: "nonsense" }), fine],
  ["no ignoreErrors", resource("store", { ignoreErrors: false }), refused],
] satisfies [string, ComponentResource, Behaviour][])("does not try again after %s", async (_, one, init) => {
  const { inventory, clock, behaviour, conditions } = setUp();
  behaviour.set("store", init);
  await inventory.load([one]).catch(() => undefined);
  expect(conditions()["store"]).toMatch(/^failed ./);
  expect(clock.pendingTimers).toBe(0);
});

it("does not try again what the composition root or a watcher refused", async () => {
  const { inventory, clock, closed, conditions } = setUp({
    admit: ({ name }) => {
      throw new Error(`${name} is not welcome`);
    },
  });
  await inventory.load([resource("store")]);
  expect(conditions()).toEqual({ store: "failed store is not welcome" });
  expect(closed).toEqual(["store"]);
  expect(clock.pendingTimers).toBe(0);
});

it("holds others up no longer than an attempt's own time", async () => {
  const { inventory, clock, behaviour, conditions } = setUp();
  behaviour.set("store", refused);
  await inventory.load([resource("store")]);
  behaviour.set("store", endless);
  await pass(clock, 1);
  const adding = inventory.add(resource("other"));
  await pass(clock, 4);
  expect(inventory.state.get("other")).toBeUndefined();
  await pass(clock, 1);
  await adding;
  expect(conditions()).toEqual({ store: "failed context deadline exceeded", other: "ready" });
  await inventory.close();
  expect(clock.pendingTimers).toBe(0);
});

it("a component that hangs in init and then in close as well holds nobody else up", async () => {
  const { inventory, clock, lines, behaviour, conditions } = setUp();
  behaviour.set(STUCK, endless);
  const loading = inventory.load([resource(STUCK), resource("other")]);
  await settle();
  await pass(clock, 5);
  expect(conditions()).toEqual({ stuck: "starting" });
  await pass(clock, CLOSE_MS_MAX / 1_000);
  await loading;
  expect(conditions()).toEqual({ stuck: "failed context deadline exceeded", other: "ready" });
  expect(lines).toContain("warn Component stuck (state.a/v1) did not come up, and has not closed within 5s either");
  await inventory.close();
  expect(clock.pendingTimers).toBe(0);
});

it.each(["remove", "replace", "close"] as const)("stops trying on %s", async (how) => {
  const { inventory, clock, inits, behaviour } = setUp();
  behaviour.set("store", refused);
  await inventory.load([resource("store")]);
  behaviour.set("store", fine);
  await (how === "replace" ? inventory.replace(resource("store")) : inventory[how]("store"));
  expect(clock.pendingTimers).toBe(0);
  await pass(clock, 5);
  expect(inits).toEqual(how === "replace" ? ["0 store", "0 store"] : ["0 store"]);
});

it("forgets an attempt that was due while its component was removed", async () => {
  const { inventory, clock, inits, behaviour, conditions } = setUp();
  behaviour.set("store", refused);
  behaviour.set("slow", endless);
  await inventory.load([resource("store")]);
  const adding = inventory.add(resource("slow"));
  const removing = inventory.remove("store");
  await settle();
  await pass(clock, 5);
  await Promise.all([adding, removing]);
  await inventory.remove("slow");
  await pass(clock, 5);
  expect(inits).toEqual(["0 store", "0 slow"]);
  expect(conditions()).toEqual({});
  expect(clock.pendingTimers).toBe(0);
});

it("breaks off an attempt under way when it is closed", async () => {
  const { inventory, clock, inits, closed, behaviour } = setUp();
  behaviour.set("store", refused);
  await inventory.load([resource("store")]);
  behaviour.set("store", endless);
  await pass(clock, 1);
  await inventory.close();
  await pass(clock, 100);
  expect(inits).toEqual(["0 store", "1 store"]);
  expect(closed).toEqual(["store", "store"]);
  expect(clock.pendingTimers).toBe(0);
});

it("keeps failures where its owner wants to tell them: all run on and are tried again, and the log hardly speaks", async () => {
  const { inventory, clock, inits, lines, behaviour, conditions } = setUp({ componentFailures: "keep" });
  behaviour.set("store", refused);
  await inventory.load([
    resource("store", { ignoreErrors: false }),
    resource("unknown", { ignoreErrors: false, type: "state.x" }),
    resource("last", { ignoreErrors: false }),
  ]);
  expect(conditions()).toEqual({
    store: "failed refused",
    unknown: "failed couldn't find state store state.x/v1",
    last: "ready",
  });
  expect(lines.filter((line) => line.startsWith("error"))).toEqual([]);
  await pass(clock, 1);
  behaviour.delete("store");
  await pass(clock, 2);
  expect(inits).toEqual(["0 store", "0 last", "1 store", "3 store"]);
  expect(conditions()["store"]).toBe("ready");
});

it("says how often a component has failed and when it is tried next, until it comes up", async () => {
  const { inventory, clock, behaviour } = setUp();
  const retry = () => inventory.conditions()[0]?.retry;
  behaviour.set("store", refused);
  await inventory.load([resource("store")]);
  expect(retry()).toEqual({ attempts: 1, nextAttemptMs: START_MS + 1_000 });
  await pass(clock, 1);
  expect(retry()).toEqual({ attempts: 2, nextAttemptMs: START_MS + 3_000 });
  behaviour.set("store", fine);
  await pass(clock, 2);
  expect(inventory.conditions()[0]).not.toHaveProperty("retry");
  await inventory.close();
});
