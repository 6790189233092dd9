import { describe, expect, it } from "vitest";
import { OUTRIGGER_VERSION } from "../kit/release.ts";
import { noteReleases } from "./checks/versions.ts";
import { examine } from "./examination.ts";
import { type Case, component, findingsOf, setUpOf, WELL } from "./set-up.fixture.ts";
import type { DoctorWorld, HttpAnswer } from "./world.ts";

const PLACEMENT = { addresses: ["p.test:1"], disseminationTimeoutMs: 30_000 };
const SERVICES = {
  shop: { placement: PLACEMENT, scheduler: { addresses: ["s.test"], jobStreams: 3 } },
  stock: { placement: PLACEMENT, scheduler: { addresses: [], jobStreams: 3 } },
} satisfies Case["apps"];
const SIDECARS = ["shop", "daprd", "gone"].map((name, index) => ({
  name,
  address: { host: "h", port: index, socketPath: undefined, apiToken: "" },
}));

/** Sidecars by their port: one of ours of this release, a daprd, and nobody. */
function sidecarsOf(release: string): DoctorWorld["get"] {
  const answer = (body: unknown): HttpAnswer => ({
    status: body === undefined ? 404 : 200,
    body: JSON.stringify(body ?? {}),
    dateMs: undefined,
    sentMs: 0,
    receivedMs: 0,
  });
  return async ({ port }, path) => {
    if (port === 2) throw new Error("nobody listens there");
    if (path === "/v1.0/metadata") return answer({ runtimeVersion: "1.18.3" });
    return answer(path === "/outrigger/v1/about" && port === 0 ? { release } : undefined);
  };
}

async function notes(given: Case): Promise<readonly string[]> {
  return await noteReleases(await examine(setUpOf({ apps: {}, ...given }, "/"), { ...WELL, ...given.world }));
}

describe("releases", () => {
  it("are told of every sidecar, also where it does not say", async () => {
    expect(await notes({ setUp: { sidecars: SIDECARS }, world: { get: sidecarsOf("0.9.0") } })).toEqual([
      "the sidecar shop is Outrigger 0.9.0, compatible with Dapr 1.18.3",
      "the sidecar daprd is Dapr 1.18.3",
      "the sidecar gone: release unknown, since it does not answer",
    ]);
  });

  it("are told of every service that sidecars are sent to, once, also where it does not say", async () => {
    const serviceRelease = (host: string): Promise<string | undefined> =>
      Promise.resolve(host === "p.test" ? "0.9.0" : undefined);
    expect(await notes({ apps: SERVICES, world: { serviceRelease } })).toEqual([
      "the placement service at p.test:1 is Outrigger 0.9.0",
      "the scheduler at s.test:50006: release unknown, since Dapr's services write theirs into their logs only",
    ]);
    const silent = { serviceRelease: () => Promise.reject(new Error("the connection was closed")) };
    expect((await notes({ apps: SERVICES, world: silent }))[0]).toBe(
      "the placement service at p.test:1: release unknown, since the connection was closed",
    );
    expect(await notes({ apps: SERVICES, setUp: { bringsControlPlane: true } })).toEqual([]);
  });

  it("are not asked of services that answer sidecars only", async () => {
    const mtls = {
      sentryAddress: "sentry.test",
      controlPlane: { trustDomain: "cluster.local", namespace: "default" },
      trustAnchors: "",
      jwtAudiences: [],
      localIdentity: "",
      tokenFile: undefined,
    };
    const apps = { shop: { ...SERVICES.shop, mtls } };
    const asked: string[] = [];
    const serviceRelease = async (host: string): Promise<undefined> => void asked.push(host);
    expect(await notes({ apps, world: { serviceRelease } })).toEqual([
      "the placement service at p.test:1: release unknown, since with mutual TLS it answers sidecars only",
      "the scheduler at s.test:50006: release unknown, since with mutual TLS it answers sidecars only",
      "sentry at sentry.test:50001: release unknown, since it answers requests for certificates only",
    ]);
    expect(asked).toEqual([]);
  });

  it("are wrong where they are not the doctor's", async () => {
    const wrong = async (release: string) => {
      const world = { get: sidecarsOf(release), serviceRelease: () => Promise.resolve(release) };
      const given = { apps: SERVICES, setUp: { sidecars: SIDECARS.slice(0, 2) }, world };
      return (await findingsOf(given)).filter(({ check }) => check === "versions");
    };
    expect(await wrong(OUTRIGGER_VERSION)).toEqual([]);
    expect(await wrong("0.0.9")).toMatchObject([
      {
        severity: "warning",
        what: `shop, the placement service at p.test:1, the scheduler at s.test:50006: Outrigger 0.0.9; this doctor is ${OUTRIGGER_VERSION}`,
      },
    ]);
  });
});

describe("connections", () => {
  const files = {
    "a.yaml": component("cache", "state.redis", { redisHost: "value: r.test:1" }),
    "b.yaml": component("indexed", "state.redis", { redisHost: "value: r.test:1", queryIndexes: 'value: "[]"' }),
    "c.yaml": component("file", "state.sqlite", { connectionString: "value: a.db" }),
    "d.yaml": component("broker", "pubsub.redis", { redisHost: "value: gone.test:1" }),
    "e.yaml": component("vault", "secretstores.local.env"),
  };

  function trying(faults: ReadonlyMap<string, string>, more: Partial<DoctorWorld> = {}) {
    const tried: string[] = [];
    const world: Partial<DoctorWorld> = {
      connectFault: (host) => Promise.resolve(host === "gone.test" ? "nobody listens there" : undefined),
      componentFaults: async (app, stores, components) => {
        tried.push(
          `${app.appId}: ${components.map(({ name }) => name).join()} with ${stores.map(({ name }) => name).join()}`,
        );
        return faults;
      },
      ...more,
    };
    return { tried, world };
  }

  const told = async (given: Case) => (await findingsOf(given)).filter(({ check }) => check === "connections");

  it("are tried once for each component that can be reached and whose start changes nothing", async () => {
    const { tried, world } = trying(new Map());
    expect(await told({ files, apps: { shop: {}, stock: {} }, world })).toEqual([]);
    expect(tried).toEqual(["shop: cache with vault"]);
  });

  it("are told that do not come about", async () => {
    const { world } = trying(new Map([["cache", "WRONGPASS invalid password"]]));
    expect(await told({ files, world })).toMatchObject([
      { severity: "error", what: "component cache (state.redis/v1) does not come up: WRONGPASS invalid password" },
    ]);
  });

  it("are left to the sidecars that run", async () => {
    const { tried, world } = trying(new Map());
    expect(await told({ files, setUp: { isUp: true }, world })).toEqual([]);
    expect(tried).toEqual([]);
  });
});
