import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import { systemClock } from "../kit/system-clock.ts";
import { KubernetesClient } from "./client.ts";
import { FakeApi } from "./fake-api.fixture.ts";
import { type Change, Informer } from "./informer.ts";
import { type Pod, PODS } from "./objects.ts";

const pod = (name: string): string => `/api/v1/namespaces/a/pods/${name}`;

let api: FakeApi;
let client: KubernetesClient;
let informer: Informer<Pod, string>;
let changes: string[];
beforeEach(async () => {
  api = await FakeApi.start();
  client = new KubernetesClient({ access: api.access(), clock: systemClock, userAgent: "test" });
  changes = [];
});
afterEach(async () => {
  await informer.close();
  await client.close();
  await api.stop();
});

async function follow(resyncMs?: number): Promise<void> {
  informer = new Informer<Pod, string>({
    client,
    kind: PODS,
    keep: ({ spec }) => spec?.serviceAccountName ?? "",
    resyncMs,
    clock: systemClock,
    logger: silentLogger,
  });
  informer.onChange((change: Change<string>) => {
    changes.push(change.type === "set" ? `${change.key}=${change.value}` : `-${change.key}`);
  });
  informer.start();
  await informer.synced;
}

async function hears(change: string): Promise<void> {
  await vi.waitFor(() => expect(changes).toContain(change), { timeout: 8_000, interval: 5 });
}

async function watches(): Promise<void> {
  await vi.waitFor(() => expect(api.watchers).toBe(1), { timeout: 8_000, interval: 5 });
}

const run = (account: string) => ({ spec: { serviceAccountName: account } });

describe("an informer", () => {
  it("has what is there, and follows what comes, changes and goes", async () => {
    api.put(pod("one"), run("x"));
    await follow();
    expect(informer.get("a", "one")).toBe("x");
    expect(informer.get("b", "one")).toBeUndefined();
    await watches();
    api.put(pod("two"), run("y"));
    await hears("a/two=y");
    api.put(pod("one"), run("z"));
    await hears("a/one=z");
    api.remove(pod("two"));
    await hears("-a/two");
    expect([...informer.all()]).toEqual(["z"]);
  });

  it("resumes a watch that ended, and hears what happened meanwhile, without listing again", async () => {
    await follow();
    await watches();
    api.endWatches();
    api.put(pod("one"), run("x"));
    await hears("a/one=x");
    expect(api.seen.filter(({ target }) => !target.includes("watch=true"))).toHaveLength(1);
    expect(changes).toEqual(["a/one=x"]);
  });

  it("lists anew where the server has forgotten, and tells what is gone", async () => {
    api.put(pod("one"), run("x"));
    api.put(pod("two"), run("y"));
    await follow();
    await watches();
    api.remove(pod("one"));
    await hears("-a/one");
    api.endWatches();
    api.remove(pod("two"));
    api.endWatches(true);
    await hears("-a/two");
    expect([...informer.all()]).toEqual([]);
  });

  it("keeps what it knows while the server fails, and goes on after that", async () => {
    api.put(pod("one"), run("x"));
    await follow();
    await watches();
    let refused = 0;
    api.intercept = (exchange) => {
      refused++;
      exchange.respond(503, [], "{}");
      return true;
    };
    api.endWatches();
    await vi.waitFor(() => expect(refused).toBeGreaterThan(0), { timeout: 8_000, interval: 5 });
    expect(informer.get("a", "one")).toBe("x");
    api.intercept = undefined;
    api.put(pod("two"), run("y"));
    await hears("a/two=y");
  });

  it("lists again at intervals where it is told to", async () => {
    await follow(50);
    await vi.waitFor(
      () => expect(api.seen.filter(({ target }) => target.includes("limit=")).length).toBeGreaterThan(1),
      { timeout: 8_000, interval: 5 },
    );
  });
});
