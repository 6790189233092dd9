import { describe, expect, it } from "vitest";
import type { Component, ComponentFamily, ComponentManifest, ComponentMetadata } from "../components/spi/component.ts";
import { ComponentError } from "../components/spi/errors.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { ComponentResource } from "../resources/component.ts";
import { inventoryOptions } from "./inventory.fixture.ts";
import { createInventory } from "./inventory.ts";
import { RETRY_PAUSE_MS_MIN } from "./retries.ts";
import { DRAIN_MS_MAX } from "./retirement.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Components whose `init` fails while metadata or the bench say so; secret stores give what `secrets` holds. */
function bench() {
  const journal: string[] = [];
  const clock = new VirtualClock();
  const state = { down: false, secret: "s1", gates: new Map<string, PromiseWithResolvers<void>>() };
  const manifestOf = (type: string): ComponentManifest => ({
    family: type.slice(0, type.indexOf(".")) as ComponentFamily,
    type,
    versions: [{ version: "v1", stability: "stable" }],
    capabilities: [],
    metadata: [],
    load: async () => () => {
      let own: ComponentMetadata = {};
      const component: Component & Record<string, unknown> = {
        async init(metadata) {
          own = metadata;
          if (metadata["bad"] === "true") {
            throw new ComponentError("invalidMetadata", "bad is not allowed");
          }
          if (state.down) {
            throw new ComponentError("unavailable", "nobody answers");
          }
          journal.push(`init ${metadata["v"] ?? ""}`);
        },
        async get() {
          const gate = state.gates.get(own["v"] ?? "");
          await gate?.promise;
          return own["v"];
        },
        async getSecret() {
          return { key: state.secret };
        },
        async close() {
          journal.push(`close ${own["v"] ?? ""}`);
        },
      };
      return component;
    },
  });
  const inventory = createInventory(
    inventoryOptions({
      manifests: ["state.a", "state.b", "pubsub.a", "secretstores.s"].map(manifestOf),
      clock,
      drains: true,
    }),
  );
  const read = (): Promise<unknown> | undefined =>
    inventory.state.get("one")?.component.get({
      key: "k",
      metadata: {},
      consistency: "",
    });
  return { journal, clock, state, inventory, read };
}

function resource(v: string, more: Partial<ComponentResource> & { readonly bad?: boolean } = {}): ComponentResource {
  const { bad = false, ...rest } = more;
  return {
    name: "one",
    type: "state.a",
    version: "v1",
    namespace: "",
    scopes: [],
    ignoreErrors: false,
    initTimeoutMs: 5_000,
    metadata: Object.entries({ v, ...(bad ? { bad: "true" } : {}) }).map(([name, value]) => ({
      name,
      value,
      secretKeyRef: undefined,
      envRef: "",
    })),
    secretStore: "",
    logName: "one (state.a/v1)",
    origin: { file: "a.yaml", line: 1 },
    ...rest,
  };
}

describe("replacing a component", () => {
  it("initialises the new one first and closes the old one when its last call has ended", async () => {
    const { inventory, journal, state, read } = bench();
    await inventory.load([resource("1")]);
    state.gates.set("1", Promise.withResolvers());
    const under = read();
    expect(await inventory.replace(resource("2"))).toBe("replaced");
    await settle();
    expect(journal).toEqual(["init 1", "init 2"]);
    expect(await read()).toBe("2");
    state.gates.get("1")?.resolve();
    expect(await under).toBe("1");
    await settle();
    expect(journal).toEqual(["init 1", "init 2", "close 1"]);
    await inventory.close();
  });

  it("lists a removed one until it is closed", async () => {
    const { inventory, state, read } = bench();
    await inventory.load([resource("1")]);
    state.gates.set("1", Promise.withResolvers());
    const under = read();
    await inventory.remove("one");
    expect(inventory.state.get("one")).toBeUndefined();
    expect(inventory.components()).toHaveLength(1);
    await inventory.add(resource("2"));
    expect(inventory.components()).toHaveLength(1);
    await inventory.remove("one");
    state.gates.get("1")?.resolve();
    await under;
    await settle();
    expect(inventory.components()).toEqual([]);
  });

  it("waits for those who say that they still use the old one, and not for ever", async () => {
    const { inventory, journal, clock } = bench();
    inventory.state.watch(() => new Promise(() => undefined));
    await inventory.load([resource("1")]);
    await inventory.replace(resource("2"));
    await settle();
    expect(journal).not.toContain("close 1");
    clock.advance(DRAIN_MS_MAX);
    await settle();
    expect(journal).toContain("close 1");
    await inventory.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([true, false])("keeps the old one where the change cannot work (ignoreErrors %s)", async (ignoreErrors) => {
    const { inventory, journal, clock, read } = bench();
    await inventory.load([resource("1")]);
    expect(await inventory.replace(resource("2", { bad: true, ignoreErrors }))).toBe("kept");
    expect(await read()).toBe("1");
    const rejected = { reason: "bad is not allowed", sinceMs: clock.now() };
    expect(inventory.conditions()).toMatchObject([{ name: "one", condition: "ready", rejected }]);
    expect(inventory.conditions()[0]).not.toHaveProperty("retry");
    expect(await inventory.replace(resource("3"))).toBe("replaced");
    expect(inventory.conditions()[0]).not.toHaveProperty("rejected");
    await settle();
    expect(journal).toEqual(["init 1", "close 2", "init 3", "close 1"]);
    await inventory.close();
  });

  it("tries a change again whose back end was not there", async () => {
    const { inventory, clock, state, read } = bench();
    await inventory.load([resource("1")]);
    state.down = true;
    expect(await inventory.replace(resource("2"))).toBe("kept");
    expect(inventory.conditions()[0]).toMatchObject({ condition: "ready", retry: { attempts: 1 } });
    state.down = false;
    clock.advance(RETRY_PAUSE_MS_MIN);
    await settle();
    expect(await read()).toBe("2");
    expect(inventory.conditions()[0]).not.toHaveProperty("rejected");
    await inventory.close();
  });

  it("takes another type for another component: it fails as at the start", async () => {
    const { inventory, read } = bench();
    await inventory.load([resource("1")]);
    const other = resource("2", { type: "state.b", bad: true });
    await expect(inventory.replace(other)).rejects.toThrow("process component one error");
    expect(read()).toBeUndefined();
    await inventory.load([resource("1")]);
    expect(await inventory.replace({ ...other, ignoreErrors: true })).toBe("absent");
    expect(read()).toBeUndefined();
    expect(inventory.conditions()).toMatchObject([{ name: "one", condition: "failed" }]);
    expect(await inventory.replace(resource("3", { type: "pubsub.a" }))).toBe("replaced");
    expect(inventory.pubsub.get("one")).toBeDefined();
    await inventory.close();
  });

  it("goes back to the old one where a user of it cannot use the new one", async () => {
    const { inventory, journal } = bench();
    const seen: string[] = [];
    await inventory.load([resource("1")]);
    inventory.state.watch((_, loaded) => {
      seen.push(loaded?.metadata["v"] ?? "gone");
      if (loaded?.metadata["v"] === "2") {
        throw new Error("no use for it");
      }
    });
    expect(await inventory.replace(resource("2"))).toBe("kept");
    expect(seen).toEqual(["1", "2", "1"]);
    expect(inventory.state.get("one")?.metadata["v"]).toBe("1");
    await settle();
    expect(journal).toEqual(["init 1", "init 2", "close 2"]);
    await inventory.close();
  });

  it("replaces those too whose secrets the new store gives otherwise, and no others", async () => {
    const { inventory, journal, state } = bench();
    const vault = resource("vault 1", { name: "vault", type: "secretstores.s" });
    const secret = { name: "v", value: undefined, secretKeyRef: { name: "s", key: "key" }, envRef: "" };
    await inventory.load([vault, resource("", { secretStore: "vault", metadata: [secret] })]);
    await inventory.replace(resource("vault 2", { name: "vault", type: "secretstores.s" }));
    await settle();
    expect(journal).toEqual(["init vault 1", "init s1", "init vault 2", "close vault 1"]);
    state.secret = "s2";
    await inventory.replace(resource("vault 3", { name: "vault", type: "secretstores.s" }));
    await settle();
    expect(journal.slice(4)).toEqual(["init vault 3", "close vault 2", "init s2", "close s1"]);
    await inventory.close();
  });

  it("keeps the old one while the new one waits for its secret store", async () => {
    const { inventory, read } = bench();
    await inventory.load([resource("1")]);
    const secret = { name: "v", value: undefined, secretKeyRef: { name: "s", key: "key" }, envRef: "" };
    expect(await inventory.replace(resource("", { secretStore: "vault", metadata: [secret] }))).toBe("kept");
    expect(await read()).toBe("1");
    expect(inventory.conditions()[0]?.rejected?.reason).toBe("it waits for secret store vault");
    await inventory.add(resource("vault", { name: "vault", type: "secretstores.s" }));
    expect(await read()).toBe("s1");
    await inventory.close();
  });
});
