import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TestAuthority } from "../../test/harness/test-authority.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { CheckedFinding } from "./finding.ts";
import { type Case, component, findingsOf } from "./set-up.fixture.ts";
import type { DoctorWorld } from "./world.ts";

async function told(check: string, given: Case): Promise<readonly CheckedFinding[]> {
  return (await findingsOf(given)).filter((finding) => finding.check === check);
}

function at(nowMs: number): VirtualClock {
  const clock = new VirtualClock();
  clock.now = () => nowMs;
  return clock;
}

describe("names", () => {
  const resolver = (text: string): Case => ({ configuration: `  nameResolution: ${text}\n` });
  const refused = { connectFault: () => Promise.resolve("nobody listens there") };

  it("by mDNS, on a machine that is alone", async () => {
    const alone = { world: { hasNetwork: () => false } };
    expect(await told("names", alone)).toMatchObject([
      { severity: "warning", what: expect.stringMatching(/^names are resolved by mDNS, and/) as string },
    ]);
    expect(await told("names", {})).toEqual([]);
    expect(await told("names", { ...alone, setUp: { bringsControlPlane: true } })).toEqual([]);
    const sqlite = resolver("{ component: sqlite, configuration: { connectionString: ':memory:' } }");
    expect(await told("names", { ...sqlite, ...alone })).toEqual([]);
  });

  it.each<[name: string, written: string, environment: Record<string, string>, address: string]>([
    ["of this machine", "{ component: consul }", {}, "127.0.0.1:8500"],
    ["that is written down", '{ component: consul, configuration: { Client: { address: "a:1" } } }', {}, "a:1"],
    ["of the environment", "{ component: hashicorp.consul }", { CONSUL_HTTP_ADDR: "http://b:2" }, "b:2"],
  ])("by a Consul agent that does not answer: the one %s", async (_name, written, environment, address) => {
    const consul = { ...resolver(written), environment };
    expect(await told("names", { ...consul, world: refused })).toMatchObject([
      { severity: "error", what: `the Consul agent at ${address} cannot be reached: nobody listens there` },
    ]);
    expect(await told("names", consul)).toEqual([]);
  });

  it("by a resolver that there is not", async () => {
    expect(await told("names", resolver("{ component: mdsn }"))).toMatchObject([
      { severity: "error", what: "there is no name resolver mdsn", fix: "did you mean mdns?" },
    ]);
    expect(await told("names", resolver("{ component: mdns }"))).toEqual([]);
  });
});

describe("the control plane", () => {
  const apps = {
    shop: {
      placement: { addresses: ["p.test:50005"] },
      scheduler: { addresses: ["s.test:50006"] },
    },
  } as unknown as NonNullable<Case["apps"]>;

  it("is something else than what its address says", async () => {
    const swapped = (_host: string, _port: number, path: string): Promise<string> =>
      Promise.resolve(`unknown service ${path.split("/")[1]}`);
    expect(await told("reachability", { apps, world: { grpcMessage: swapped } })).toMatchObject([
      {
        severity: "error",
        what: "at p.test:50005 is something else than the placement service: unknown service dapr.proto.placement.v1.Placement",
        where: "--placement-host-address",
      },
      { what: expect.stringMatching(/^at s\.test:50006 is something else than the scheduler/) as string },
    ]);
    const silent = { apps, world: { grpcMessage: () => Promise.resolve("the connection was closed") } };
    expect((await told("reachability", silent)).map(({ what }) => what)).toEqual([
      "the placement service at p.test:50005 does not answer as one: the connection was closed",
      "the scheduler at s.test:50006 does not answer as one: the connection was closed",
    ]);
    expect(await told("reachability", { apps })).toEqual([]);
  });
});

describe("tracing", () => {
  const refused = { connectFault: () => Promise.resolve("nobody listens there") };
  const zipkin = 'tracing: { samplingRate: "1", zipkin: { endpointAddress: "http://z.test/api" } }';

  it("goes to a collector that is not there", async () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c.test:4317" };
    const traced = { configuration: `  ${zipkin}\n`, environment };
    expect(await told("reachability", { ...traced, world: refused })).toMatchObject([
      { severity: "warning", what: "what takes spans at c.test:4317 cannot be reached: nobody listens there" },
      { severity: "warning", what: "what takes spans at z.test:80 cannot be reached: nobody listens there" },
    ]);
    expect(await told("reachability", traced)).toEqual([]);
    const off = { ...traced, configuration: '  tracing: { samplingRate: "0" }\n', world: refused };
    expect(await told("reachability", off)).toEqual([]);
  });

  it("has files that cannot be read", async () => {
    const secured = (path: string): Case => ({
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "c.test:4317", OTEL_EXPORTER_OTLP_CERTIFICATE: path },
    });
    expect(await told("files", secured("/nowhere/ca.crt"))).toMatchObject([
      { severity: "error", app: "shop", what: expect.stringContaining("cannot read /nowhere/ca.crt") as string },
    ]);
    expect(await told("files", secured(""))).toEqual([]);
  });
});

describe("the token for sentry", () => {
  const SECRET = "nobody-may-read-this";
  const nowMs = Date.parse("2026-03-01T12:00:00Z");
  const jwt = (claims: object): string =>
    `${SECRET}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${SECRET}`;

  it.each<[name: string, token: string | undefined, what: RegExp[]]>([
    ["is valid", jwt({ exp: nowMs / 1_000 + 1, nbf: nowMs / 1_000 }), []],
    ["is no JWT", SECRET, []],
    ["has expired", jwt({ exp: nowMs / 1_000 }), [/^its token for sentry has expired$/]],
    ["is of another clock", jwt({ nbf: nowMs / 1_000 + 1 }), [/^its token for sentry is not valid yet$/]],
    ["is empty", "", [/is empty$/]],
    ["is not there", undefined, [/^failed to read token at path/]],
  ])("%s", async (_name, token, what) => {
    const folder = mkdtempSync(join(tmpdir(), "doctor-token-"));
    try {
      const tokenFile = join(folder, "token");
      if (token !== undefined) writeFileSync(tokenFile, token);
      const apps = { shop: { mtls: { tokenFile } } } as unknown as NonNullable<Case["apps"]>;
      const found = await told("files", { apps, world: { clock: at(nowMs) } });
      expect(found.map((finding) => finding.what)).toEqual(what.map((text) => expect.stringMatching(text) as string));
      expect(JSON.stringify(found)).not.toContain(SECRET);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("certificates", async () => {
  const authority = await TestAuthority.create();
  const nowMs = Date.now();
  const apps = {
    shop: {
      mtls: {
        sentryAddress: "sentry.test:50001",
        controlPlane: { trustDomain: "localhost", namespace: "default" },
        trustAnchors: authority.trustAnchors,
        jwtAudiences: [],
        localIdentity: "",
        tokenFile: undefined,
      },
    },
  };
  const dates = { validFromMs: nowMs + 90_000, expiresMs: nowMs - 30_000 };

  it.each([
    ["CERT_NOT_YET_VALID", /begins in 90 s: its clock and the one of this machine are at least so far apart$/],
    ["CERT_HAS_EXPIRED", /has a certificate that ended 30 s ago$/],
  ])("of a sentry whose clock is another: %s", async (fault, what) => {
    const of = async (shown: string) =>
      (
        await told("certificates", {
          apps,
          world: { clock: at(nowMs), tlsView: () => Promise.resolve({ ...dates, fault: shown }) },
        })
      ).filter((finding) => finding.what.startsWith("sentry"));
    expect((await of(fault)).map((finding) => finding.what)).toEqual([expect.stringMatching(what)]);
    expect(await of("")).toEqual([]);
  });

  const pem = authority.trustAnchors;
  const indented = (text: string): string => text.trim().replaceAll("\n", "\n        ");
  const endpoint = (certificate: string, privateKey = ""): Case => ({
    files: {
      "e.yaml": `apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata: { name: bank }
spec:
  baseUrl: https://bank.test
  clientTLS:
    certificate:
      value: |
        ${indented(certificate)}
${privateKey === "" ? "" : `    privateKey:\n      value: |\n        ${indented(privateKey)}\n`}`,
    },
  });
  const year = 365 * 86_400_000;
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });

  it.each<[name: string, given: Case, nowMs: number, what: RegExp[]]>([
    ["that is valid", endpoint(pem), Date.parse("2020-01-01"), [/its client certificate is not valid before/]],
    ["that has ended", endpoint(pem), nowMs + 20 * year, [/its client certificate has expired/]],
    ["that is none", endpoint("ca.crt"), nowMs, [/its client certificate is no certificate/]],
  ])("for an HTTPEndpoint, %s", async (_name, given, now, what) => {
    const found = await told("certificates", { ...given, world: { clock: at(now) } });
    expect(found.map((one) => one.what)).toEqual(what.map((text) => expect.stringMatching(text) as string));
    expect(found[0]?.where).toBe("e.yaml:7");
  });

  it("for an HTTPEndpoint, that is valid, with its key, or has a few days left", async () => {
    const day = 86_400_000;
    const { chain, privateKey } = await authority.issue({ notAfterMs: nowMs + 30 * day });
    const leaf = chain.slice(0, chain.indexOf("-----END CERTIFICATE-----") + 25);
    const given = endpoint(leaf, privateKey);
    expect(await told("certificates", { ...given, world: { clock: at(nowMs) } })).toEqual([]);
    const later = { clock: at(nowMs + 25 * day) };
    expect(await told("certificates", { ...given, world: later })).toMatchObject([
      { severity: "warning", what: expect.stringMatching(/its client certificate expires in 4 days/) as string },
    ]);
  });

  it("for an HTTPEndpoint, with a key that is another's", async () => {
    const found = await told("certificates", { ...endpoint(pem, String(key)), world: { clock: at(nowMs) } });
    expect(found.map((one) => one.what)).toContain(
      "HTTPEndpoint bank: its private key is not the one of its client certificate",
    );
    expect(JSON.stringify(found)).not.toContain(String(key).split("\n")[1]);
    const unreadable = await told("certificates", { ...endpoint(pem, "no key"), world: { clock: at(nowMs) } });
    expect(unreadable.map((one) => one.what)).toContain("HTTPEndpoint bank: its private key cannot be read");
  });
});

describe("a sidecar that runs on this machine", () => {
  const address = { host: "127.0.0.1", port: 3500, socketPath: undefined, apiToken: "" };
  const metadata = {
    runtimeVersion: "1.18.3",
    components: [{ name: "store" }],
    appConnectionProperties: { port: 6001, channelAddress: "127.0.0.1" },
  };
  const running = (world: Partial<DoctorWorld>): Case => ({
    files: { "a.yaml": component("store", "state.in-memory") },
    setUp: { isUp: true, sidecars: [{ name: "shop", address }] },
    world: {
      get: (_address, path) =>
        Promise.resolve({
          status: path.startsWith("/v1.0/") ? 200 : 404,
          body: path === "/v1.0/metadata" ? JSON.stringify(metadata) : "",
          dateMs: undefined,
          sentMs: 0,
          receivedMs: 0,
        }),
      ...world,
    },
  });

  it("has an app that does not listen", async () => {
    const connectFault = (_host: string, port: number): Promise<string | undefined> =>
      Promise.resolve(port === 6001 ? "nobody listens there" : undefined);
    expect(await told("running", running({ connectFault }))).toMatchObject([
      {
        severity: "error",
        app: "shop",
        what: "its app cannot be reached on port 6001: nobody listens there",
        where: "127.0.0.1:6001",
      },
    ]);
    expect(await told("running", running({}))).toEqual([]);
  });

  it("has not loaded what was written since it started", async () => {
    const given = running({});
    const files = { ...given.files, "b.yaml": component("late", "pubsub.in-memory") };
    expect(await told("running", { ...given, files })).toMatchObject([
      {
        severity: "warning",
        app: "shop",
        what: "component late (pubsub.in-memory/v1) is in its resources, and its sidecar has not loaded it",
        where: "b.yaml:1",
      },
    ]);
  });
});
