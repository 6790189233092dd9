import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { component } from "../../test/harness/resources.ts";
import type { SubscriptionCondition, SubscriptionConditions } from "../blocks/pubsub/subscription-conditions.ts";
import type { ComponentCondition } from "../inventory/types.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { FakeSidecar } from "./app-unit.fixture.ts";
import { ComponentWatch } from "./component-watch.ts";
import { appPlan, recordingConsole } from "./recording-console.fixture.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outrigger-components-"));
});

afterEach(() => rm(folder, { recursive: true }));

class Reporting extends FakeSidecar {
  list: ComponentCondition[] = [];
  live: SubscriptionCondition[] = [];

  override async subscriptions(): Promise<SubscriptionConditions> {
    return { programmatic: { state: "known" }, subscriptions: this.live };
  }

  override async conditions(): Promise<readonly ComponentCondition[]> {
    return this.list;
  }
}

function sidecarWith(...list: ComponentCondition[]): Reporting {
  const sidecar = new Reporting({ http: 1, grpc: 2, internalGrpc: 3, metrics: 4 });
  sidecar.list = list;
  return sidecar;
}

function condition(name: string, type: string, reason: string, more: Partial<ComponentCondition> = {}) {
  return {
    name,
    type,
    version: "v1",
    condition: reason === "" ? "ready" : "failed",
    reason,
    sinceMs: 0,
    ...more,
  } as const;
}

function setUp() {
  const clock = new VirtualClock();
  const console = recordingConsole();
  const watch = new ComponentWatch({ clock, console, namespace: "" });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const plan = (appId: string) => appPlan(appId, { resourcesPaths: [folder] });
  return { clock, said: console.said, watch, pass, plan };
}

const DOWN = condition("store", "state.redis", "connection refused");
const UP = condition("store", "state.redis", "");

it("tells a component that is down once for all apps, and that it works when it does for all", async () => {
  await writeFile(join(folder, "store.yaml"), component("store", "state.redis"));
  const { said, watch, pass, plan, clock } = setUp();
  const [orders, stock] = [sidecarWith(DOWN), sidecarWith(DOWN)];
  await watch.follow(plan("orders"), orders);
  await watch.follow(plan("stock"), stock);
  expect(said).toEqual([
    `error -: component store (state.redis) at ${folder}/store.yaml:1 does not work: connection refused\nFix: correct it there and save the file, or make available what it needs: it is tried again. Everything else runs without it.`,
  ]);
  orders.list = [UP];
  await pass(2_000);
  expect(said).toHaveLength(1);
  stock.list = [UP];
  await pass(2_000);
  expect(said[1]).toBe("success -: component store (state.redis) works now");
  watch.close();
  expect(clock.pendingTimers).toBe(0);
});

it("tells a component that has lost what it needs later, and that it works again", async () => {
  await writeFile(join(folder, "store.yaml"), component("store", "state.redis"));
  const { said, watch, pass, plan } = setUp();
  const sidecar = sidecarWith(UP);
  await watch.follow(plan("orders"), sidecar);
  sidecar.list = [condition("store", "state.redis", "connection lost", { condition: "degraded" })];
  await pass(2_000);
  sidecar.list = [UP];
  await pass(2_000);
  expect(said).toEqual([
    `error -: component store (state.redis) at ${folder}/store.yaml:1 has lost what it needs: connection lost\nIt works again as soon as that is back; calls of it fail until then.`,
    "success -: component store (state.redis) works now",
  ]);
});

it("tells of subscriptions that are not live, and when they are", async () => {
  const { said, watch, pass, plan } = setUp();
  const sidecar = sidecarWith();
  const one = { pubsubName: "broker", topic: "orders", source: { kind: "programmatic" } } as const;
  sidecar.live = [{ ...one, state: "waiting", waitingFor: "component" }];
  await watch.follow(plan("orders"), sidecar);
  await pass(2_000);
  sidecar.live = [{ ...one, state: "active" }];
  await pass(2_000);
  expect(said).toEqual([
    "error orders: the subscription to topic orders of broker waits for component broker, which is not loaded\nFix: add that component, or correct the name; nothing is delivered from this topic until then.",
    "success orders: the subscription to topic orders of broker is live now",
  ]);
});

it("tells a change that is not taken over, wherever its line is by then, and when it is", async () => {
  const file = join(folder, "store.yaml");
  await writeFile(file, component("store", "state.redis"));
  const { said, watch, pass, plan } = setUp();
  const sidecar = sidecarWith({ ...UP, rejected: { reason: "connection refused", sinceMs: 0 } });
  await watch.follow(plan("orders"), sidecar);
  expect(said).toEqual([
    `error -: component store (state.redis) at ${file}:1 is not taken over: connection refused\nThe one before goes on. Fix: correct it there and save the file, or make available what it needs: it is tried again.`,
  ]);
  await writeFile(file, `# one line more\n---\n${component("store", "state.redis")}`);
  await watch.follow(plan("orders"), sidecar, ["store.yaml:3: the change of HTTPEndpoint bank is not in effect"]);
  sidecar.list = [UP];
  await pass(2_000);
  expect(said.slice(1)).toEqual([
    "error -: store.yaml:3: the change of HTTPEndpoint bank is not in effect\nWhat was in use before stays in use: correct that and save the file.",
    "success -: component store (state.redis) is taken over now",
  ]);
});

it("tells again what was removed and comes back as it was", async () => {
  await writeFile(join(folder, "store.yaml"), component("store", "state.redis"));
  const { said, watch, pass, plan } = setUp();
  const sidecar = sidecarWith(DOWN);
  await watch.follow(plan("orders"), sidecar);
  sidecar.list = [];
  await pass(2_000);
  sidecar.list = [DOWN];
  await pass(2_000);
  expect(said).toHaveLength(2);
  expect(said[1]).toBe(said[0]);
});

it("tells another reason, and names the type that was meant and the store that is waited for", async () => {
  await writeFile(
    join(folder, "all.yaml"),
    [component("store", "state.redsi"), component("late", "state.redis")].join("---\n"),
  );
  const { said, watch, pass, plan } = setUp();
  const sidecar = sidecarWith(
    condition("store", "state.redsi", "couldn't find state store state.redsi/v1"),
    condition("late", "state.redis", "for secret store vault", { condition: "waiting" }),
  );
  await watch.follow(plan("orders"), sidecar);
  expect(said[0]).toContain("\nFix: did you mean state.redis? Correct it there and save the file.");
  expect(said[1]).toContain("does not work: it waits for secret store vault, which is not loaded\n");
  sidecar.list = [condition("late", "state.redis", "connection refused")];
  await pass(2_000);
  expect(said[2]).toContain("connection refused");
});

it("tells a document that cannot be read once, with its place", async () => {
  await writeFile(join(folder, "half.yaml"), "kind: Component\nmetadata: [\n");
  const { said, watch, plan } = setUp();
  await watch.follow(plan("orders"), sidecarWith());
  await watch.follow(plan("stock"), sidecarWith());
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(new RegExp(`^error -: ${folder}/half.yaml:3:1: .*\nThis document is left out, and what`));
});

it("does not wait for apps whose sidecar is gone, and not for components that are no longer in the files", async () => {
  await writeFile(join(folder, "store.yaml"), component("store", "state.redis"));
  const { said, watch, pass, plan } = setUp();
  const [orders, stock] = [sidecarWith(DOWN), sidecarWith(DOWN)];
  await watch.follow(plan("orders"), orders);
  await watch.follow(plan("stock"), stock);
  watch.leave("stock");
  orders.list = [UP, condition("removed", "state.redis", "connection refused")];
  await pass(2_000);
  expect(said.slice(1)).toEqual(["success -: component store (state.redis) works now"]);
});

it("says nothing of a sidecar that went away while its files were being read", async () => {
  await writeFile(join(folder, "store.yaml"), component("store", "state.redis"));
  const { said, watch, pass, plan, clock } = setUp();
  const following = watch.follow(plan("orders"), sidecarWith(DOWN));
  watch.leave("orders");
  await following;
  await pass(2_000);
  expect(said).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
