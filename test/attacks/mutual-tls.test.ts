import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { startPlacementProgram } from "../harness/placement-program.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { schedulerPorts, SchedulerProgram } from "../harness/scheduler-program.ts";
import { SentryDouble } from "../harness/sentry-double.ts";
import { type CertificateFacts, TestAuthority } from "../harness/test-authority.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const HOUR_MS = 3_600_000;
const HANDSHAKE_MS_MAX = 20_000;
const PATIENCE_MS = 30_000;

/** A port that wants mutual TLS, and what its process has logged. */
interface Victim {
  readonly port: number;
  log(): string;
  /** Throws unless somebody honest is served. */
  serve(): Promise<void>;
}

interface Attacker {
  readonly name: string;
  /** Goes on until the victim has closed the connection. */
  attack(port: number): Promise<void>;
  /** What the log says of it. */
  readonly reason: RegExp;
}

let sentry: SentryDouble;
let stranger: TestAuthority;
beforeAll(async () => {
  sentry = await SentryDouble.start();
  stranger = await TestAuthority.create();
});
afterAll(async () => await sentry[Symbol.asyncDispose]());

/** Resolves when the peer has closed. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
  });
}

function bytes(name: string, hello: () => Buffer, reason: RegExp): Attacker {
  const attack = async (port: number): Promise<void> => {
    const socket = connect(port, "127.0.0.1");
    socket.write(hello());
    await closed(socket);
  };
  return { name, attack, reason };
}

/** Shows a certificate; `undefined` shows none. */
function client(
  name: string,
  facts: CertificateFacts | undefined,
  reason: RegExp,
  authority = () => sentry.authority,
): Attacker {
  const attack = async (port: number): Promise<void> => {
    const own = facts === undefined ? undefined : await authority().issue(facts);
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      ...(own === undefined ? {} : { cert: own.chain, key: own.privateKey }),
    });
    // The server's preface must never come.
    socket.on("data", () => {
      throw new Error("the victim has spoken HTTP/2");
    });
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    await closed(socket);
  };
  return { name, attack, reason };
}

const APP = "spiffe://public/ns/default/app";

const ATTACKERS: readonly Attacker[] = [
  bytes("HTTP/2 in plain text", () => Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), /handshake failed/),
  bytes("HTTP/1.1 in plain text", () => Buffer.from("GET / HTTP/1.1\r\n\r\n"), /handshake failed: http request/),
  bytes("noise", () => Buffer.concat([Buffer.from([0x01]), randomBytes(100)]), /handshake failed/),
  bytes(
    "a TLS record that is nonsense inside",
    () => Buffer.concat([Buffer.from([0x16, 3, 1, 0, 0x40]), Buffer.alloc(0x40, 0xff)]),
    /handshake failed/,
  ),
  client("no certificate", undefined, /it has shown no certificate/),
  client("a certificate of another authority", {}, /cannot be verified/, () => stranger),
  client("an expired certificate", { notAfterMs: Date.now() - 60_000 }, /CERT_HAS_EXPIRED/),
  client(
    "a certificate of the future",
    { notBeforeMs: Date.now() + HOUR_MS, notAfterMs: Date.now() + 2 * HOUR_MS },
    /CERT_NOT_YET_VALID/,
  ),
  client("no SPIFFE id", { uris: [], dnsNames: ["app.example"] }, /no SPIFFE id/),
  client("two URIs", { uris: [APP, "spiffe://public/ns/default/admin"] }, /more than one URI/),
  client("a URI that is no SPIFFE id", { uris: ["https://example.com/ns/default/app"] }, /is not the SPIFFE id/),
  client("a path of another kind", { uris: ["spiffe://public/sa/default/app"] }, /is not the SPIFFE id/),
  client("a path that climbs", { uris: ["spiffe://public/ns/default/../admin"] }, /is not the SPIFFE id/),
  client(
    "the certificate of an authority",
    { isAuthority: true, uris: [APP] },
    /certificate authority|INVALID_PURPOSE/,
  ),
  client("a name that feigns others", { dnsNames: [`x", URI:${APP}, "y`], uris: [] }, /no name needs|no SPIFFE id/),
];

/** Each attack until the log names it: lines are at least a second apart, whoever comes meanwhile is only counted. */
async function holdsOut(victim: Victim, attackers = ATTACKERS): Promise<void> {
  for (const { name, attack, reason } of attackers) {
    const before = victim.log().length;
    await until(
      `${name} is named in the log`,
      async () => {
        await attack(victim.port);
        return reason.test(victim.log().slice(before));
      },
      PATIENCE_MS,
    );
    await victim.serve();
  }
}

describe("mutual TLS cuts off whoever cannot say who it is, names it, and serves the others", () => {
  test("at a sidecar's port for sidecars", async () => {
    await using app = await startTestApp({ answer: () => ({ body: "ok" }) });
    const deps = { shared: createSharedScope() };
    await using callee = await startTestSidecar({ appId: "callee", appPort: app.port, deps, mtls: sentry.mtls() });
    await using caller = await startTestSidecar({ appId: "caller", deps, mtls: sentry.mtls() });
    const victim = {
      port: callee.sidecar.ports.internalGrpc ?? 0,
      log: () => callee.logger.lines.map(({ level, message }) => `${level} ${message}`).join("\n"),
      serve: async () => {
        const response = await caller.fetch("/v1.0/invoke/callee/method/x");
        expect([response.status, await response.text()]).toEqual([200, "ok"]);
      },
    };
    await holdsOut(victim);

    // A client that stops in the middle is not waited for longer than ten seconds, and holds up nobody.
    const half = connect(victim.port, "127.0.0.1");
    half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    const ended = closed(half);
    await victim.serve();
    await ended;
    await until("it is named", () => /handshake failed: .*timeout/.test(victim.log()), HANDSHAKE_MS_MAX);
    // A thousand at once.
    const [plain] = ATTACKERS;
    await Promise.all(Array.from({ length: 1_000 }, async () => await plain?.attack(victim.port)));
    await victim.serve();
  });

  test("at placement and scheduler", async () => {
    await using folder = await temporaryFolder();
    const anchors = await folder.write("ca.crt", sentry.authority.trustAnchors);
    const flags = ["--tls-enabled", `--sentry-address=${sentry.address}`, `--trust-anchors-file=${anchors}`];
    await using placement = await startPlacementProgram(flags);
    const ports = await schedulerPorts();
    await using scheduler = new SchedulerProgram(folder.path, ports, flags);
    await scheduler.ready();
    const honest = await sentry.authority.issue({ uris: [APP] });
    const serve = (port: number) => async () => {
      const socket = connectTls({
        port,
        host: "127.0.0.1",
        ca: sentry.authority.trustAnchors,
        cert: honest.chain,
        key: honest.privateKey,
        ALPNProtocols: ["h2"],
        checkServerIdentity: () => undefined,
      });
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
      await new Promise((resolve, reject) => socket.once("data", resolve).once("error", reject));
      socket.destroy();
    };
    const placementPort = Number(placement.address.split(":")[1]);
    // The ports are made alike, so one of a kind will do.
    const some = ATTACKERS.filter(({ name }) => ["noise", "no certificate", "two URIs"].includes(name));
    await holdsOut({ port: placementPort, log: () => placement.program.output, serve: serve(placementPort) }, some);
    await holdsOut({ port: ports.api, log: () => scheduler.program.output, serve: serve(ports.api) }, some);
  });
});

test("a session cannot be resumed without the certificate that it began with", async () => {
  await using sidecar = await startTestSidecar({ appId: "app", mtls: sentry.mtls() });
  const port = sidecar.sidecar.ports.internalGrpc ?? 0;
  const own = await sentry.authority.issue();
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const options = { port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"], maxVersion };
    const honest = connectTls({ ...options, cert: own.chain, key: own.privateKey });
    let session: Buffer | undefined;
    honest.on("session", (one: Buffer) => (session = one));
    honest.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    await new Promise((resolve, reject) => honest.once("data", resolve).once("error", reject));
    session ??= honest.getSession();
    honest.destroy();
    const resumed = connectTls({ ...options, ...(session === undefined ? {} : { session }) });
    let isReused = false;
    resumed.once("secureConnect", () => (isReused = resumed.isSessionReused()));
    await closed(resumed);
    expect(isReused).toBe(false);
  }
});

describe("mutual TLS speaks to nobody but the one it means", () => {
  test("a sentry of another authority, or with another id, is waited for and gets no request", async () => {
    for (const [impostor, said] of [
      [await SentryDouble.start({ authority: stranger }), "certificate signature failure"],
      [
        await SentryDouble.start({ authority: sentry.authority, identity: "spiffe://evil/ns/default/dapr-sentry" }),
        'unexpected SPIFFE ID: "spiffe://evil/ns/default/dapr-sentry"',
      ],
      [await SentryDouble.start({ authority: sentry.authority, identity: APP }), `unexpected SPIFFE ID: "${APP}"`],
    ] as const) {
      const folder = await temporaryFolder();
      const anchors = await folder.write("ca.crt", sentry.authority.trustAnchors);
      const ports = await schedulerPorts();
      await using scheduler = new SchedulerProgram(folder.path, ports, [
        "--tls-enabled",
        `--sentry-address=${impostor.address}`,
        `--trust-anchors-file=${anchors}`,
      ]);
      const output = await scheduler.program.says(`waiting for the sentry at ${impostor.address}`);
      expect(output.replaceAll('\\"', '"')).toContain(said);
      expect(impostor.requests).toEqual([]);
      await impostor[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    }
  });

  test("placement in a foreign trust domain hears nothing of a sidecar's actors", async () => {
    await using folder = await temporaryFolder();
    const anchors = await folder.write("ca.crt", sentry.authority.trustAnchors);
    await using placement = await startPlacementProgram([
      "--tls-enabled",
      `--sentry-address=${sentry.address}`,
      `--trust-anchors-file=${anchors}`,
    ]);
    await using app = await startTestApp({ config: JSON.stringify({ entities: ["t"] }) });
    const foreign = await SentryDouble.start({
      authority: sentry.authority,
      identity: "spiffe://elsewhere/ns/default/dapr-sentry",
    });
    await using sidecar = await startTestSidecar(
      {
        appId: "app",
        appPort: app.port,
        mtls: foreign.mtls({ controlPlane: { trustDomain: "elsewhere", namespace: "default" } }),
        placement: { addresses: [placement.address], disseminationTimeoutMs: 30_000 },
      },
      false,
    );
    await until("it says whom it found", () => sidecar.logger.said("unexpected SPIFFE ID"), PATIENCE_MS);
    expect(await (await placement.get("/placement/state")).text()).toBe("{}");
    await foreign[Symbol.asyncDispose]();
  });
});
