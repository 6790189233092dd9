import { describe, expect, it } from "vitest";
import type { ReplaceResult } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ComponentResource } from "../../resources/component.ts";
import { DuplicateResourceError, ResourceError } from "../../resources/error.ts";
import type { HttpEndpointResource } from "../../resources/http-endpoint.ts";
import type { LoadedResources } from "../../resources/types.ts";
import { ComponentChanges } from "./component-changes.ts";
import { ResourcesInUse } from "../resources-in-use.ts";
import { Reloader } from "./reloader.ts";

const NOTHING: LoadedResources = {
  components: [],
  subscriptions: [],
  httpEndpoints: [],
  resiliencies: [],
  configurations: [],
  problems: [],
};

const base = (name: string) => ({ name, namespace: "", scopes: [], origin: { file: `${name}.yaml`, line: 1 } });

function component(name: string, type = "state.a", fields: Readonly<Record<string, string>> = {}): ComponentResource {
  return {
    ...base(name),
    type,
    version: "v1",
    ignoreErrors: false,
    initTimeoutMs: 5_000,
    metadata: Object.entries(fields).map(([field, value]) => ({
      name: field,
      value,
      secretKeyRef: undefined,
      envRef: "",
    })),
    secretStore: "",
    logName: `${name} (${type}/v1)`,
  };
}

function endpoint(name: string, baseUrl: string): HttpEndpointResource {
  return {
    ...base(name),
    baseUrl,
    headers: [],
    clientTls: undefined,
    secretStore: "",
    logName: `${name} (${baseUrl})`,
  };
}

const configuration = (name: string, text: string) => ({ ...base(name), text });

/** Nobody waits by it. */
function hasty(): Clock {
  const clock = new VirtualClock();
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    every: (ms, action) => clock.every(ms, action),
    after(_, action) {
      queueMicrotask(action);
      return { cancel: () => undefined };
    },
  };
}

function bench(initial: Partial<LoadedResources> = {}, isKept = false) {
  const journal: string[] = [];
  const lines: string[] = [];
  const logger = {
    ...silentLogger,
    info: (line: string) => void lines.push(line),
    error: (line: string) => void lines.push(line),
  };
  const state = {
    resources: { ...NOTHING, ...initial } as LoadedResources,
    readError: undefined as Error | undefined,
    componentError: undefined as Error | undefined,
    replaced: "replaced" as ReplaceResult,
    endpointError: undefined as Error | undefined,
    followError: undefined as Error | undefined,
    configurationChanged: false,
  };
  const resources = new ResourcesInUse({ ...NOTHING, ...initial });
  const components = {
    async replace({ name }: ComponentResource) {
      journal.push(`replace ${name}`);
      if (state.componentError !== undefined) {
        throw state.componentError;
      }
      return state.replaced;
    },
    remove: async (name: string) => void journal.push(`remove ${name}`),
  };
  const kind = (what: string) => ({
    async put({ name }: { readonly name: string }) {
      if (state.endpointError !== undefined) {
        throw state.endpointError;
      }
      journal.push(`${what} ${name}`);
    },
    remove: async ({ name }: { readonly name: string }) => void journal.push(`no ${what} ${name}`),
  });
  const reloader = new Reloader({
    source: {
      async read() {
        if (state.readError !== undefined) {
          throw state.readError;
        }
        return state.resources;
      },
      watch: (onChange) => ({ look: onChange, close: () => undefined }),
    },
    targets: {
      components: new ComponentChanges(components, resources.current.components, logger),
      subscriptions: kind("subscription"),
      httpEndpoints: kind("endpoint"),
      resiliencies: async (all) => void journal.push(`policies ${all.map(({ name }) => name).join(" ")}`),
      async componentsChanged(changed) {
        if (state.followError !== undefined) {
          throw state.followError;
        }
        journal.push(`changed ${changed.map(({ name }) => name).join(" ")}`);
      },
      configurationChanged: async () => state.configurationChanged,
      restart: () => journal.push("restart"),
      fail: isKept ? undefined : (error) => journal.push(`fail ${(error as Error).message}`),
    },
    resources,
    intervalMs: 60_000,
    clock: hasty(),
    logger: { ...logger, scope: () => logger },
  });
  const change = async (next: Partial<LoadedResources>) => {
    state.resources = { ...NOTHING, ...next };
    await reloader.reload();
    return journal.splice(0);
  };
  return { reloader, journal, lines, state, change, resources };
}

describe("components", () => {
  it("are changed where they are not the same: removals first, then secret stores, then others", async () => {
    const { change, lines } = bench({ components: [component("gone"), component("same"), component("other")] });
    const vault = component("vault", "secretstores.a");
    const other = component("other", "state.a", { a: "1" });
    expect(await change({ components: [component("new"), other, component("same"), vault] })).toEqual([
      "remove gone",
      "replace vault",
      "replace other",
      "replace new",
      "changed gone vault other new",
    ]);
    expect(lines).toContain("Closing existing Component to reload: other (state.a/v1)");
    expect(lines).toContain("Adding Component for processing: new (state.a/v1)");
    expect(lines).toContain("Component updated: other (state.a/v1)");
    expect(await change({ components: [vault, component("same"), component("new"), other] })).toEqual([]);
  });

  it("of which one may keep actors: a second waits for its place, and says so once", async () => {
    const actors = (name: string) => component(name, "state.a", { actorStateStore: "true" });
    const { change, lines } = bench({ components: [actors("one")] });
    const text =
      "Skipping hot reload of two (state.a/v1): one is already the actor state store, only one actor state store is allowed. The component will be applied if one is removed";
    const both = { components: [actors("one"), actors("two")] };
    expect(await change(both)).toEqual([]);
    await change(both);
    expect(lines.filter((line) => line === text)).toHaveLength(1);
    expect(await change({ components: [component("one"), actors("two")] })).toEqual([
      "replace one",
      "replace two",
      "changed one two",
    ]);
    expect(await change({ components: [actors("three")] })).toEqual([
      "remove one",
      "remove two",
      "replace three",
      "changed one two three",
    ]);
  });

  it("count as changed where they are in use", async () => {
    const { change, state, resources } = bench({ components: [component("one")] });
    const other = component("one", "state.a", { a: "1" });
    state.replaced = "kept";
    expect(await change({ components: [other] })).toEqual(["replace one", "changed one"]);
    expect(resources.reload?.changed).toEqual([]);
    state.replaced = "replaced";
    await change({ components: [component("one"), component("two")] });
    expect(resources.reload?.changed).toEqual([
      { kind: "Component", name: "one", change: "changed" },
      { kind: "Component", name: "two", change: "added" },
    ]);
    await change({ components: [component("two")] });
    expect(resources.reload?.changed).toEqual([{ kind: "Component", name: "one", change: "removed" }]);
    await change({ components: [component("two")] });
    expect(resources.reload?.changed).toEqual([]);
  });

  it("without which the sidecar may not run end it", async () => {
    const { state, change, resources } = bench();
    state.componentError = new Error("no line");
    expect(await change({ components: [component("one")] })).toEqual(["replace one", "fail no line"]);
    expect(resources.reload?.problems).toEqual(["no line"]);
  });
});

describe("other kinds", () => {
  it("follow in place", async () => {
    const { change, resources } = bench({ httpEndpoints: [endpoint("old", "http://a")] });
    const subscription = {
      ...base("sub"),
      pubsubName: "p",
      topic: "t",
    } as unknown as LoadedResources["subscriptions"][0];
    const resiliency = { ...base("patient") } as unknown as LoadedResources["resiliencies"][0];
    const next = {
      httpEndpoints: [endpoint("new", "http://a")],
      subscriptions: [subscription],
      resiliencies: [resiliency],
    };
    expect(await change(next)).toEqual(["policies patient", "no endpoint old", "endpoint new", "subscription sub"]);
    expect(resources.reload).toEqual({
      rounds: 1,
      changes: 4,
      changed: [
        { kind: "Resiliency", name: "patient", change: "added" },
        { kind: "HTTPEndpoint", name: "old", change: "removed" },
        { kind: "HTTPEndpoint", name: "new", change: "added" },
        { kind: "Subscription", name: "sub", change: "added" },
      ],
      problems: [],
      lastChangeMs: expect.any(Number) as number,
    });
    expect(resources.current.httpEndpoints.map(({ name }) => name)).toEqual(["new"]);
    expect(await change({})).toEqual(["policies ", "no endpoint new", "no subscription sub"]);
  });

  it("are told when a change cannot come into effect", async () => {
    const { change, state, resources } = bench();
    state.endpointError = new Error("no certificate");
    expect(await change({ httpEndpoints: [endpoint("one", "http://a")] })).toEqual([]);
    expect(resources.reload?.problems).toEqual([
      "one.yaml:1: the change of HTTPEndpoint one is not in effect: no certificate",
    ]);
  });

  it("stay as they are where they cannot use what a changed component has for them, and the rest follows", async () => {
    const { change, state, resources } = bench();
    state.followError = new Error("no certificate");
    const next = { components: [component("vault", "secretstores.a")], httpEndpoints: [endpoint("one", "http://a")] };
    expect(await change(next)).toEqual(["replace vault", "endpoint one"]);
    expect(resources.reload?.problems).toEqual(["no certificate"]);
  });

  it("restart the sidecar only for a Configuration that is in effect", async () => {
    const { change, state, lines } = bench();
    expect(await change({ configurations: [configuration("mine", "a")] })).toEqual([]);
    expect(lines.at(-1)).toBe(
      "Received Configuration CREATED event: mine - nothing to reload: no file given as --config says anything new",
    );
    state.configurationChanged = true;
    expect(await change({ configurations: [configuration("mine", "b")] })).toEqual(["restart"]);
    expect(lines.at(-1)).toBe("Received Configuration UPDATED event: mine - triggering SIGHUP reload");
  });
});

describe("what cannot be read", () => {
  it("stays as it was", async () => {
    const { change, state, resources } = bench({ components: [component("one"), component("two")] });
    const problems = [new ResourceError({ file: "one.yaml", line: 3, column: 1 }, "no YAML")];
    expect(await change({ problems })).toEqual(["remove two", "changed two"]);
    expect(resources.reload?.problems).toEqual(["one.yaml:3:1: no YAML"]);
    state.readError = new Error("the folder is gone");
    expect(await change({})).toEqual([]);
    expect(resources.reload?.problems).toEqual(["the folder is gone"]);
    state.readError = undefined;
    expect(await change({ components: [component("one", "state.b")] })).toEqual(["replace one", "changed one"]);
    expect(resources.reload?.problems).toEqual([]);
  });

  it("ends the sidecar where two components share a name, as in Dapr", async () => {
    const { change, state } = bench();
    state.readError = new DuplicateResourceError("duplicate definition of Component name a");
    expect(await change({})).toEqual([
      "fail failed to load resources from disk: duplicate definition of Component name a",
    ]);
  });

  it("changes nothing there where the sidecar's owner keeps it up", async () => {
    const { change, state, resources } = bench({}, true);
    state.readError = new DuplicateResourceError("duplicate definition of Component name a");
    expect(await change({})).toEqual([]);
    expect(resources.reload?.problems).toEqual(["duplicate definition of Component name a"]);
  });
});

it("compares once more for all who ask while a comparison is under way", async () => {
  const { reloader, resources } = bench();
  const first = reloader.reload();
  // The first one has begun by then.
  await Promise.resolve();
  const states = await Promise.all([first, ...Array.from({ length: 100 }, () => reloader.reload())]);
  expect(new Set(states.map(({ rounds }) => rounds))).toEqual(new Set([1, 2]));
  expect(resources.reload?.rounds).toBe(2);
});

it("does nothing after it has been closed", async () => {
  const { reloader, change } = bench();
  reloader.start();
  await reloader.close();
  expect(await change({ components: [component("one")] })).toEqual([]);
});
