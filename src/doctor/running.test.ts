import { describe, expect, it, vi } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { TestAuthority } from "../../test/harness/test-authority.ts";
import { type CheckedFinding, exitCodeOf } from "./finding.ts";
import { renderJson, renderReport } from "./report.ts";
import { type Case, findingsOf } from "./set-up.fixture.ts";
import type { HttpAnswer } from "./world.ts";

const SIDECAR = { name: "shop", address: { host: "10.0.0.1", port: 3500, socketPath: undefined, apiToken: "" } };
const NOW_MS = Date.parse("2026-03-01T12:00:00Z");

const HEALTHY: Readonly<Record<string, unknown>> = {
  "/v1.0/healthz": "",
  "/v1.0/healthz/outbound": "",
  "/v1.0/metadata": {
    id: "shop",
    runtimeVersion: "1.18.3",
    actorRuntime: { runtimeStatus: "RUNNING", placement: "placement: connected" },
  },
  "/outrigger/v1/components": {
    components: [{ name: "store", type: "state.redis", condition: "ready" }],
    reload: { rounds: 1, changes: 0, problems: [] },
  },
  "/outrigger/v1/subscriptions": { subscriptions: [{ pubsubname: "broker", topic: "t", state: "active" }] },
};

function answering(answers: Readonly<Record<string, unknown>>, rest: Partial<HttpAnswer> = {}): Case {
  const get = (_address: unknown, path: string): Promise<HttpAnswer> => {
    const body = answers[path];
    const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
    const status = body === undefined ? 404 : text === "" ? 204 : 200;
    return Promise.resolve({ status, body: text, dateMs: NOW_MS, sentMs: NOW_MS, receivedMs: NOW_MS, ...rest });
  };
  return { apps: {}, setUp: { sidecars: [SIDECAR] }, world: { get } };
}

describe("a sidecar that runs", () => {
  it("has nothing wrong when all is well, also where it is a daprd and knows none of our routes", async () => {
    expect(await findingsOf(answering(HEALTHY))).toEqual([]);
    const daprd = Object.fromEntries(Object.entries(HEALTHY).filter(([path]) => path.startsWith("/v1.0/")));
    expect(await findingsOf(answering(daprd))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, RegExp[]]>([
    [
      "components that are not ready",
      {
        "/outrigger/v1/components": {
          components: [
            { name: "a", type: "state.redis", condition: "failed", reason: "no such host" },
            { name: "b", type: "state.redis", condition: "waiting", reason: "for secret store vault" },
            { name: "c", type: "state.redis", condition: "degraded", reason: "connection lost" },
            { name: "d", type: "state.redis", condition: "starting" },
          ],
        },
      },
      [
        /error: component a \(state\.redis\) is failed: no such host/,
        /error: component b \(state\.redis\) is waiting: for secret store vault/,
        /error: component c \(state\.redis\) has lost what it is on: connection lost/,
        /warning: component d \(state\.redis\) is starting$/,
      ],
    ],
    [
      "changes that were not taken over",
      {
        "/outrigger/v1/components": {
          components: [{ name: "a", type: "state.redis", condition: "ready", rejectedChange: { reason: "bad host" } }],
          reload: { problems: ["a.yaml:3: mapping values"] },
        },
      },
      [
        /error: the last change of component a .* bad host/,
        /error: a change of its resources is not in effect: a\.yaml:3/,
      ],
    ],
    [
      "subscriptions that are not active",
      {
        "/outrigger/v1/subscriptions": {
          subscriptions: [
            { pubsubname: "p", topic: "t", state: "waiting", waitingFor: "broker", reason: "refused" },
            { pubsubname: "p", topic: "u", state: "refused", reason: "not allowed", place: "s.yaml:4" },
          ],
        },
      },
      [
        /warning: its subscription to t of p is waiting for the broker: refused/,
        /error: its subscription to u of p is refused: not allowed/,
      ],
    ],
    [
      "a placement service that is lost",
      {
        "/v1.0/metadata": {
          runtimeVersion: "1.18.3",
          actorRuntime: { runtimeStatus: "RUNNING", placement: "placement: disconnected" },
        },
      },
      [/error: it has lost the placement service/],
    ],
    [
      "another release",
      { "/v1.0/metadata": { runtimeVersion: "1.15.2" } },
      [/warning: shop runs 1\.15\.2; this program is compatible with 1\.18\.3/],
    ],
  ])("says what it says about itself: %s", async (_name, answers, wanted) => {
    const found = await findingsOf(answering({ ...HEALTHY, ...answers }));
    expect(found.map(({ severity, what }) => `${severity}: ${what}`)).toEqual(
      wanted.map((pattern) => expect.stringMatching(pattern) as string),
    );
  });

  it("is not ready, wants a token, or does not answer at all", async () => {
    const failing = (status: number): Case => {
      const { world } = answering(HEALTHY);
      return {
        ...answering(HEALTHY),
        world: { get: async (address, path) => ({ ...(await world!.get!(address, path)), status }) },
      };
    };
    expect((await findingsOf(failing(500)))[0]).toMatchObject({
      severity: "error",
      what: "it is not ready: status 500",
    });
    expect((await findingsOf(failing(401)))[0]).toMatchObject({
      severity: "warning",
      what: "its sidecar wants an API token",
    });
    const gone = { ...answering(HEALTHY), world: { get: () => Promise.reject(new Error("connection refused")) } };
    expect((await findingsOf(gone)).map(({ what }) => what)).toEqual([
      "its sidecar does not answer: connection refused",
    ]);
  });

  it("is of the same release as the others", async () => {
    const { world } = answering(HEALTHY);
    const two = [SIDECAR, { name: "stock", address: { ...SIDECAR.address, port: 3501 } }];
    const get: NonNullable<Case["world"]>["get"] = async (address, path) => {
      const answer = await world!.get!(address, path);
      return address.port === 3501 ? { ...answer, body: answer.body.replace("1.18.3", "1.18.1") } : answer;
    };
    const found = await findingsOf({ apps: {}, setUp: { sidecars: two }, world: { get } });
    expect(found.map(({ what }) => what)).toEqual(["sidecars are of 2 releases: 1.18.3 (shop); 1.18.1 (stock)"]);
  });
});

describe("clocks", () => {
  it.each([
    [0, []],
    [2_400, []],
    [-1_900, []],
    [4_000, ["warning"]],
    [-5_000, ["warning"]],
    [90_000, ["error"]],
  ])(
    "that differ by %d ms, with an answer that takes a second and a header of whole seconds",
    async (skewMs, wanted) => {
      const dateMs = Math.floor((NOW_MS + 500 + skewMs) / 1_000) * 1_000;
      const found = await findingsOf(answering(HEALTHY, { dateMs, sentMs: NOW_MS, receivedMs: NOW_MS + 1_000 }));
      expect(found.map(({ severity }) => severity)).toEqual(wanted);
    },
  );
});

describe("certificates", async () => {
  const authority = await TestAuthority.create();
  const other = await TestAuthority.create();
  const app = (trustAnchors: string) => ({
    mtls: {
      sentryAddress: "sentry.test",
      controlPlane: { trustDomain: "localhost", namespace: "default" },
      trustAnchors,
      jwtAudiences: [],
      localIdentity: "",
      tokenFile: undefined,
    },
  });
  const at = (nowMs: number): VirtualClock => {
    const clock = new VirtualClock();
    clock.now = () => nowMs;
    return clock;
  };
  const told = async (given: Case): Promise<readonly CheckedFinding[]> =>
    (await findingsOf(given)).filter(({ check }) => check === "certificates");

  it("expire, are not valid yet, or will expire soon", async () => {
    const apps = { shop: app(authority.trustAnchors) };
    expect((await told({ apps, world: { clock: at(Date.now() + 10 * 365 * 86_400_000) } }))[0]?.what).toMatch(
      /has expired/,
    );
    expect((await told({ apps, world: { clock: at(0) } }))[0]?.what).toMatch(/is not valid before/);
    expect((await told({ apps, world: { clock: at(Date.now()) } }))[0]?.what).toMatch(/expires in 0 days/);
  });

  it("lead to other anchors than ours, or are not the same everywhere", async () => {
    const world = {
      clock: at(Date.now()),
      tlsView: () => Promise.resolve({ fault: "SELF_SIGNED", validFromMs: 0, expiresMs: 0 }),
    };
    const apps = { shop: app(authority.trustAnchors) };
    const found = await told({ apps, world });
    expect(found.map(({ what }) => what)).toContain(
      "sentry at sentry.test:50001 has a certificate that leads to none of the trust anchors: SELF_SIGNED",
    );
    const two = { shop: app(authority.trustAnchors), stock: app(other.trustAnchors) };
    expect((await told({ apps: two, world: { clock: at(Date.now()) } }))[0]?.what).toMatch(
      /2 different sets of trust anchors: shop \/ stock/,
    );
    expect(
      (await told({ apps: { shop: app("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----") } }))[0]?.what,
    ).toMatch(/a trust anchor cannot be read/);
  });
});

describe("the report", () => {
  const finding: CheckedFinding = {
    check: "ports",
    severity: "warning",
    app: "shop",
    what: "w",
    where: "p",
    why: "y",
    fix: "f",
  };
  const results = (...findings: CheckedFinding[]) => [
    { name: "ports", subject: "all ports", isSkipped: false, findings },
    { name: "clocks", subject: "all clocks", isSkipped: true, findings: [] },
  ];

  it("has exit codes for nothing, warnings and errors", () => {
    expect(exitCodeOf(results())).toBe(0);
    expect(exitCodeOf(results(finding))).toBe(1);
    expect(exitCodeOf(results(finding, { ...finding, severity: "error" }))).toBe(2);
  });

  it("has errors first, for people and for programs", () => {
    const both = results(finding, { ...finding, severity: "error", what: "e", app: undefined });
    expect(renderReport(both)).toBe(
      "ERROR  ports   all ports\n       ✗ e\n         at   p\n         why  y\n         fix  f\n       ! shop: w\n         at   p\n         why  y\n         fix  f\n-      clocks  all clocks\n\n1 error, 1 warning\n",
    );
    expect(renderReport(results())).toContain("ok     ports   all ports\n");
    expect(renderReport(results())).toMatch(/\nnothing is wrong\n$/);
    expect(JSON.parse(renderJson(both))).toMatchObject({
      version: 1,
      exitCode: 2,
      findings: [{ what: "e" }, { what: "w" }],
    });
  });

  it("tells a check that does not end", async () => {
    const clock = new VirtualClock();
    let isAsked = false;
    const openFilesMax = (): Promise<never> => {
      isAsked = true;
      return new Promise(() => undefined);
    };
    const never = findingsOf({ world: { clock, openFilesMax } });
    // All other checks, which look at files, have ended.
    await vi.waitFor(() => expect([isAsked, clock.pendingTimers]).toEqual([true, 1]), { timeout: 8_000 });
    clock.advance(1_000);
    expect((await never).map(({ what }) => what)).toEqual([
      "the check of limits could not be ended: it took longer than 1000 ms",
    ]);
  });
});
