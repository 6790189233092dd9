import { describe, expect, it } from "vitest";
import type {
  Component,
  ComponentDeps,
  ComponentFamily,
  ComponentManifest,
  ComponentMetadata,
} from "../components/spi/component.ts";
import { ComponentError } from "../components/spi/errors.ts";
import type { SecretStore } from "../components/spi/secret-store.ts";
import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import type { ComponentResource } from "../resources/component.ts";
import { componentLogName, type NameValuePair } from "../resources/resource.ts";
import { inventoryOptions } from "./inventory.fixture.ts";
import { createInventory } from "./inventory.ts";
import type { InventoryOptions } from "./options.ts";
import { createSharedScope } from "./shared-scope.ts";
import type { Inventory, InventoryObserver } from "./types.ts";

/** What test components did, in order. */
type Journal = string[];

interface TestComponent {
  init?(metadata: ComponentMetadata, signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

function manifestOf(
  type: string,
  journal: Journal,
  behaviour: (deps: ComponentDeps) => TestComponent & Partial<SecretStore> = () => ({}),
): ComponentManifest {
  const create = (deps: ComponentDeps): Component => {
    const own = behaviour(deps);
    return {
      ...own,
      async init(metadata, signal) {
        journal.push(`init ${deps.name} ${JSON.stringify(metadata)}`);
        await own.init?.(metadata, signal);
      },
      async close() {
        journal.push(`close ${deps.name}`);
        await own.close?.();
      },
    };
  };
  const family = type.slice(0, type.indexOf(".")) as ComponentFamily;
  return {
    family,
    type,
    versions: [{ version: "v1", stability: "stable" }],
    capabilities: ["ETAG", "TRANSACTIONAL"],
    metadata: [],
    load: async () => create,
  };
}

function secretStoreOf(
  type: string,
  journal: Journal,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
): ComponentManifest {
  return manifestOf(type, journal, () => ({
    capabilities: ["MULTIPLE_KEY_VALUES_PER_SECRET"],
    async getSecret(name, metadata) {
      journal.push(`getSecret ${name} ${JSON.stringify(metadata)}`);
      const secret = secrets[name];
      if (secret === undefined) {
        throw new ComponentError("notFound", `secret ${name} not found`);
      }
      return secret;
    },
  }));
}

function resource(name: string, type: string, more: Partial<ComponentResource> = {}): ComponentResource {
  const version = more.version ?? "v1";
  return {
    name,
    type,
    version,
    namespace: "",
    scopes: [],
    ignoreErrors: false,
    initTimeoutMs: 5_000,
    metadata: [],
    secretStore: "",
    logName: componentLogName(name, type, version),
    origin: { file: "components.yaml", line: 3 },
    ...more,
  };
}

function pair(name: string, from: Partial<NameValuePair>): NameValuePair {
  return { name, value: undefined, secretKeyRef: undefined, envRef: "", ...from };
}

function loggerTo(lines: string[]): Logger {
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: Logger = {
    debug() {},
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    fatal: write("fatal"),
    enabled: () => true,
    scope: () => logger,
  };
  return logger;
}

/** Only knows timers that fire by hand. */
function manualClock(): Clock & { fire(): void } {
  const actions = new Set<() => void>();
  return {
    now: () => 0,
    monotonicMs: () => 0,
    after(_, action) {
      actions.add(action);
      return { cancel: () => void actions.delete(action) };
    },
    every: () => ({ cancel() {} }),
    fire() {
      for (const action of actions) {
        action();
      }
    },
  };
}

interface Bench {
  readonly inventory: Inventory;
  readonly lines: string[];
  readonly clock: ReturnType<typeof manualClock>;
}

function bench(manifests: readonly ComponentManifest[], more: Partial<InventoryOptions> = {}): Bench {
  const lines: string[] = [];
  const clock = manualClock();
  let uuids = 0;
  const inventory = createInventory(
    inventoryOptions({
      manifests,
      clock,
      namespace: "ns",
      logger: loggerTo(lines),
      random: { uuid: () => `uuid-${++uuids}`, bytes: (length) => new Uint8Array(length), next: () => 0.5 },
      ...more,
    }),
  );
  return { inventory, lines, clock };
}

describe("loading", () => {
  it("takes secret stores first and fills in their secrets", async () => {
    const journal: Journal = [];
    const { inventory, lines } = bench([
      manifestOf("state.a", journal),
      secretStoreOf("secretstores.s", journal, { redis: { password: "hidden", redis: '"quoted"' } }),
    ]);
    await inventory.load([
      resource("store", "state.a", {
        secretStore: "vault",
        namespace: "shop",
        metadata: [
          pair("host", { value: "localhost" }),
          pair("password", { secretKeyRef: { name: "redis", key: "password" } }),
          pair("other", { secretKeyRef: { name: "redis", key: "redis" } }),
          pair("missingPart", { secretKeyRef: { name: "redis", key: "nothing" } }),
        ],
      }),
      resource("vault", "secretstores.s"),
    ]);
    expect(journal).toEqual([
      "init vault {}",
      'getSecret redis {"namespace":"shop"}',
      'init store {"host":"localhost","password":"hidden","other":"quoted","missingPart":""}',
    ]);
    expect(lines).toEqual([
      "info Component loaded: vault (secretstores.s/v1)",
      "info Component loaded: store (state.a/v1)",
    ]);
    expect(inventory.state.get("store")?.secretNames).toEqual({
      password: "redis",
      other: "redis",
      missingPart: "redis",
    });
    expect(inventory.components()).toEqual([
      { name: "vault", type: "secretstores.s", version: "v1", capabilities: ["MULTIPLE_KEY_VALUES_PER_SECRET"] },
      { name: "store", type: "state.a", version: "v1", capabilities: ["ETAG", "TRANSACTIONAL", "ACTOR"] },
    ]);
  });

  it("runs on without a secret that cannot be had", async () => {
    const journal: Journal = [];
    const { inventory, lines } = bench([manifestOf("state.a", journal), secretStoreOf("secretstores.s", journal, {})]);
    await inventory.load([
      resource("vault", "secretstores.s"),
      resource("store", "state.a", {
        secretStore: "vault",
        metadata: [pair("password", { secretKeyRef: { name: "redis", key: "redis" } })],
      }),
    ]);
    expect(lines).toContain("error Error getting secret: secret redis not found");
    expect(journal.at(-1)).toBe('init store {"password":""}');
  });

  it("parks a component until its secret store is there", async () => {
    const journal: Journal = [];
    const { inventory, lines } = bench([
      manifestOf("state.a", journal),
      secretStoreOf("secretstores.s", journal, { p: { p: "x" } }),
    ]);
    const waiting = resource("store", "state.a", {
      secretStore: "vault",
      metadata: [pair("password", { secretKeyRef: { name: "p", key: "p" } })],
    });
    await inventory.load([waiting]);
    await inventory.add(waiting);
    expect(lines.slice(0, 1)).toEqual(["warn Component store references a secret store that isn't loaded: vault"]);
    expect(inventory.components()).toEqual([]);
    await inventory.add(resource("vault", "secretstores.s"));
    expect(journal.filter((line) => line.startsWith("init"))).toEqual(["init vault {}", 'init store {"password":"x"}']);
  });

  it("fills in templates, a fresh uuid each time", async () => {
    const journal: Journal = [];
    const { inventory } = bench([manifestOf("pubsub.a", journal)], { podName: "pod-1" });
    await inventory.load([
      resource("broker", "pubsub.a", {
        metadata: [
          pair("ids", { value: "{uuid}/{uuid}" }),
          pair("where", { value: "{podName}-{namespace}-{appID}" }),
          pair("consumerID", { value: " " }),
        ],
      }),
    ]);
    expect(journal).toEqual(['init broker {"ids":"uuid-1/uuid-2","where":"pod-1-ns.app-app","consumerID":"app"}']);
    expect(inventory.pubsub.get("broker")?.namespaceScoped).toBe(true);
  });

  it("refuses {podName} outside a pod", async () => {
    const { inventory } = bench([manifestOf("state.a", [])]);
    await expect(
      inventory.load([resource("store", "state.a", { metadata: [pair("x", { value: "{podName}" })] })]),
    ).rejects.toThrow("failed to parse metadata: property x refers to {podName} but podName is not set");
  });

  it("reads environment references, but never tokens", async () => {
    const journal: Journal = [];
    const { inventory, lines } = bench([manifestOf("state.a", journal)], {
      environment: { HOST: "db", APP_API_TOKEN: "t", DAPR_API_TOKEN: "t" },
    });
    const metadata = ["HOST", "MISSING", "app_api_token", "DAPR_API_TOKEN"].map((envRef) => pair(envRef, { envRef }));
    await inventory.load([
      resource("store", "state.a", { metadata: [...metadata, pair("both", { envRef: "HOST", value: "given" })] }),
    ]);
    expect(journal).toEqual([
      'init store {"HOST":"db","MISSING":"","app_api_token":"","DAPR_API_TOKEN":"","both":"given"}',
    ]);
    expect(lines).toContain("warn Component store references an env variable that isn't allowed: app_api_token");
    expect(lines).toContain("warn Component store references an env variable that isn't allowed: DAPR_API_TOKEN");
  });

  it("stands for the first version when none or v0 is written, and matches types without case", async () => {
    const { inventory } = bench([manifestOf("state.a", [])]);
    await inventory.load([
      resource("none", "state.A", { version: "" }),
      resource("unstable", "state.a", { version: "v0" }),
    ]);
    expect([...inventory.state.values()].map(({ name, version }) => [name, version])).toEqual([
      ["none", "v1"],
      ["unstable", "v0"],
    ]);
  });

  it("leaves out what the Configuration denies", async () => {
    const journal: Journal = [];
    const { inventory, lines } = bench([manifestOf("state.a", journal), manifestOf("state.b", journal)], {
      denied: ["state.a/v1"],
    });
    await inventory.load([
      resource("denied", "state.a"),
      resource("fine", "state.b"),
      resource("versionless", "state.b", { version: "" }),
    ]);
    expect(journal).toEqual(["init fine {}"]);
    expect(lines[0]).toBe(
      "warn component 'denied' cannot be loaded because components of type 'denied (state.a/v1)' are not allowed",
    );
  });
});

describe("failing", () => {
  const failing = (journal: Journal): ComponentManifest =>
    manifestOf("state.sqlite", journal, () => ({
      init: () => Promise.reject(new ComponentError("invalidMetadata", "missing connection string")),
    }));

  it("says what daprd says, closes the half-made component and stops loading", async () => {
    const journal: Journal = [];
    const { inventory, lines } = bench([failing(journal), manifestOf("state.b", journal)]);
    const loading = inventory.load([resource("a", "state.sqlite"), resource("b", "state.b")]);
    const inner =
      "[INIT_COMPONENT_FAILURE]: initialization error occurred for a (state.sqlite/v1): missing connection string";
    const whole = `process component a error: [INIT_COMPONENT_FAILURE]: initialization error occurred for a (state.sqlite/v1): ${inner}`;
    await expect(loading).rejects.toThrow(whole);
    expect(lines).toEqual([
      `error Failed to init component a (state.sqlite/v1): ${inner}`,
      `warn Error processing component, daprd will exit gracefully: ${whole}`,
    ]);
    expect(journal).toEqual(["init a {}", "close a"]);
    expect(inventory.state.size).toBe(0);
  });

  it("goes on when the component says ignoreErrors", async () => {
    const journal: Journal = [];
    const { inventory, lines } = bench([failing(journal), manifestOf("state.b", journal)]);
    await inventory.load([resource("a", "state.sqlite", { ignoreErrors: true }), resource("b", "state.b")]);
    expect(lines[1]).toMatch(/^error Ignoring error processing component: process component a error: /);
    expect(inventory.components().map(({ name }) => name)).toEqual(["b"]);
  });

  it.each([
    [
      "state.radis",
      "[CREATE_COMPONENT_FAILURE]: initialization error occurred for a (state.radis/v1): couldn't find state store state.radis/v1",
    ],
    ["pubsub.x", "couldn't find message bus pubsub.x/v1"],
    ["secretstores.x", "couldn't find secret store secretstores.x/v1"],
    ["bindings.x", "couldn't find binding a (bindings.x/v1)"],
    ["middleware.http.x", "HTTP middleware middleware.http.x/v1 has not been registered"],
    ["nonsense", "process component a error: incorrect type nonsense"],
    ["nameresolution.mdns", "incorrect type nameresolution.mdns"],
  ])("names the unknown type %s", async (type, text) => {
    const { inventory, lines } = bench([manifestOf("state.redis", [])]);
    await expect(inventory.load([resource("a", type)])).rejects.toThrow(text);
    expect(
      lines.some((line) =>
        line.includes('components.yaml:3: component a has the unknown type "state.radis"; did you mean "state.redis"?'),
      ),
    ).toBe(type === "state.radis");
  });

  it("gives up on a component whose time is up, whether it listens or not", async () => {
    const journal: Journal = [];
    const { inventory, lines, clock } = bench([
      manifestOf("state.deaf", journal, () => ({ init: () => new Promise(() => undefined) })),
    ]);
    const loading = inventory.load([resource("a", "state.deaf")]);
    await until(() => journal.length > 0);
    clock.fire();
    await expect(loading).rejects.toThrow(
      /: context deadline exceeded\ninit timeout for component a \(state\.deaf\/v1\)$/,
    );
    expect(lines[0]).toMatch(/^error Failed to init component a \(state\.deaf\/v1\): /);
    expect(journal).toEqual(["init a {}", "close a"]);
  });

  it("lets the composition root refuse a component that has come up", async () => {
    const journal: Journal = [];
    const { inventory } = bench([manifestOf("state.a", journal)], {
      admit: ({ name }) => {
        throw new Error(`${name} is not welcome`);
      },
    });
    await expect(inventory.load([resource("a", "state.a")])).rejects.toThrow("a is not welcome");
    expect(journal).toEqual(["init a {}", "close a"]);
  });

  it("takes a component back that a watcher cannot use", async () => {
    const journal: Journal = [];
    const { inventory } = bench([manifestOf("state.a", journal)]);
    inventory.state.watch((_, loaded) => {
      if (loaded !== undefined) {
        throw new Error("no use for it");
      }
    });
    await expect(inventory.load([resource("a", "state.a")])).rejects.toThrow(
      "process component a error: [INIT_COMPONENT_FAILURE]: initialization error occurred for a (state.a/v1): no use for it",
    );
    expect(journal).toEqual(["init a {}", "close a"]);
    expect(inventory.components()).toEqual([]);
  });

  it("tells the metrics, failures of init twice as Dapr counts them", async () => {
    const told: string[] = [];
    const observer: InventoryObserver = {
      componentLoaded: () => told.push("loaded"),
      componentInitialized: (type) => told.push(`initialized ${type}`),
      componentInitFailed: (type, reason, name) => told.push(`failed ${type} ${reason} ${name}`),
    };
    const { inventory } = bench([failing([]), manifestOf("state.b", [])], { observer });
    await inventory.load([
      resource("a", "state.sqlite", { ignoreErrors: true }),
      resource("unknown", "state.x", { ignoreErrors: true }),
      resource("b", "state.b"),
    ]);
    expect(told).toEqual([
      "failed state.sqlite init a",
      "failed state.sqlite init a",
      "failed state.x creation unknown",
      "failed state.x init unknown",
      "initialized state.b",
      "loaded",
    ]);
  });
});

describe("changing", () => {
  it("tells watchers about what is there, what comes, what is swapped and what goes", async () => {
    const journal: Journal = [];
    const { inventory } = bench([manifestOf("state.a", journal)]);
    const seen: string[] = [];
    await inventory.load([resource("one", "state.a")]);
    inventory.state.watch((name, loaded) =>
      seen.push(`${name} ${loaded === undefined ? "gone" : JSON.stringify(loaded.metadata)}`),
    );
    await inventory.add(resource("two", "state.a"));
    await inventory.replace(resource("one", "state.a", { metadata: [pair("new", { value: "1" })] }));
    await inventory.remove("two");
    await inventory.remove("nobody");
    expect(seen).toEqual(["one {}", "two {}", 'one {"new":"1"}', "two gone"]);
    await until(() => journal.includes("close two"));
    expect(journal).toEqual(["init one {}", "init two {}", 'init one {"new":"1"}', "close one", "close two"]);
  });

  it("forgets a parked component that is removed", async () => {
    const journal: Journal = [];
    const { inventory } = bench([manifestOf("state.a", journal), secretStoreOf("secretstores.s", journal, {})]);
    await inventory.load([
      resource("store", "state.a", {
        secretStore: "vault",
        metadata: [pair("p", { secretKeyRef: { name: "p", key: "p" } })],
      }),
    ]);
    await inventory.remove("store");
    await inventory.add(resource("vault", "secretstores.s"));
    expect(journal).toEqual(["init vault {}"]);
  });
});

describe("closing", () => {
  it("closes everything at the same time, once, and goes on past a component that cannot close", async () => {
    const journal: Journal = [];
    const gate = Promise.withResolvers<void>();
    const { inventory, lines } = bench([
      manifestOf("state.slow", journal, () => ({ close: () => gate.promise })),
      manifestOf("state.bad", journal, () => ({ close: () => Promise.reject(new Error("no")) })),
    ]);
    await inventory.load([resource("slow", "state.slow"), resource("bad", "state.bad")]);
    const closing = inventory.close();
    await until(() => journal.includes("close bad"));
    gate.resolve();
    await closing;
    await inventory.close();
    expect(journal).toEqual(["init slow {}", "init bad {}", "close slow", "close bad"]);
    expect(lines.at(-1)).toBe("error Error closing component bad (state.bad/v1): no");
    expect(inventory.state.size).toBe(0);
  });

  it("breaks off what is being loaded", async () => {
    const journal: Journal = [];
    const { inventory } = bench([manifestOf("state.a", journal, () => ({ init: () => new Promise(() => undefined) }))]);
    const loading = inventory.load([resource("a", "state.a"), resource("b", "state.a")]);
    const failed = expect(loading).rejects.toThrow("the sidecar is shutting down");
    await until(() => journal.length > 0);
    await inventory.close();
    await failed;
    expect(journal).toEqual(["init a {}", "close a"]);
    await expect(inventory.add(resource("late", "state.a"))).rejects.toThrow("the sidecar is shutting down");
  });
});

describe("createSharedScope", () => {
  it("makes a value once per key and scope", () => {
    const one = createSharedScope();
    const made = one.acquire("broker", () => ({}));
    expect(one.acquire("broker", () => ({}))).toBe(made);
    expect(one.acquire("other", () => ({}))).not.toBe(made);
    expect(createSharedScope().acquire("broker", () => ({}))).not.toBe(made);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    expect(turns).toBeLessThan(1_000);
    await Promise.resolve();
  }
}
