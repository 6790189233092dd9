import { createHmac } from "node:crypto";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requestDer, toPem } from "../../src/control-plane/sentry/sentry.fixture.ts";
import { signToken, tokenKey, WORKLOAD_URI } from "../../src/control-plane/sentry/validators/tokens.fixture.ts";
import { SignCertificateRequest_TokenValidator as TokenValidator } from "../../src/wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { type SentryProgram, startSentryProgram } from "../harness/sentry-program.ts";
import { until } from "../harness/until.ts";

const key = tokenKey("mykey", "rsa");
const CLAIMS = { aud: ["spiffe://localhost/ns/default/dapr-sentry"], sub: WORKLOAD_URI };

let sentry: SentryProgram;
let csr: Uint8Array;
beforeAll(async () => {
  csr = toPem(await requestDer());
  sentry = await startSentryProgram({
    spec: `  mtls:
    tokenValidators:
      - name: jwks
        options:
          source: '${JSON.stringify({ keys: [key.jwk] })}'
`,
    flags: ["--jwt-enabled", "--oidc-enabled", "--oidc-server-tls-enabled=false", "--oidc-server-listen-port=0"],
  });
});
afterAll(async () => await sentry[Symbol.asyncDispose]());

async function ask(facts: object = {}) {
  return await sentry.sign({
    id: "myapp",
    namespace: "default",
    token: await signToken(key, Date.now(), CLAIMS),
    tokenValidator: TokenValidator.JWKS,
    certificateSigningRequest: csr,
    ...facts,
  });
}

/** What is left of a sentry after an attack: one that signs, and is healthy. */
async function stands(): Promise<void> {
  expect((await ask()).workloadCertificate.length).toBeGreaterThan(0);
  expect((await fetch(`http://127.0.0.1:${sentry.healthPort}/healthz`)).status).toBe(200);
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("against a sentry", () => {
  it("a certificate request says nothing about whom it is for", async () => {
    const tricky = toPem(await requestDer("p256", "CN=admin, O=spiffe://localhost/ns/default/dapr-sentry"));
    const answer = await ask({ certificateSigningRequest: tricky });
    const certificate = Buffer.from(answer.workloadCertificate).toString();
    const { X509Certificate } = await import("node:crypto");
    const leaf = new X509Certificate(certificate);
    expect(leaf.subjectAltName).toBe(`URI:${WORKLOAD_URI}`);
    expect(leaf.toString()).toBeDefined();
    expect(leaf.ca).toBe(false);
    expect(leaf.raw.toString("latin1")).not.toContain("admin");
  });

  it("hundreds of malformed requests are refused one by one", async () => {
    const der = Buffer.from(await requestDer());
    const wrong = Array.from({ length: 200 }, (_, at) => {
      const bytes = Buffer.from(der);
      bytes[(at * 7) % bytes.length] = (bytes[(at * 7) % bytes.length] ?? 0) ^ (1 + (at % 255));
      return at % 2 === 0 ? bytes : bytes.subarray(0, (at * 3) % bytes.length);
    });
    const codes = await Promise.all(
      wrong.map((bytes) =>
        ask({ certificateSigningRequest: toPem(bytes) }).then(
          () => 0,
          (error: { code: number }) => error.code,
        ),
      ),
    );
    // A change in what nobody signs or reads may leave a request good.
    expect(codes.filter((code) => code !== 0 && code !== 3)).toEqual([]);
    expect(codes.filter((code) => code === 3).length).toBeGreaterThan(150);
    await stands();
  });

  it("requests over the limits are refused", async () => {
    await expect(ask({ certificateSigningRequest: Buffer.alloc(100_000, 0x41) })).rejects.toMatchObject({ code: 3 });
    await expect(ask({ certificateSigningRequest: Buffer.alloc(1_000_000) })).rejects.toMatchObject({ code: 8 });
    await expect(ask({ token: "a".repeat(100_000) })).rejects.toMatchObject({ code: 7 });
    await expect(ask({ jwtAudiences: Array.from({ length: 100 }, String) })).rejects.toMatchObject({ code: 3 });
    await expect(ask({ id: "a".repeat(100_000) })).rejects.toMatchObject({ code: 7 });
    await stands();
  });

  it.each([
    ["id", { id: "../../kube-system/admin" }],
    ["id", { id: "a/ns/b" }],
    ["id", { id: "a%2fb" }],
    ["id", { id: "a\u0000b" }],
    ["id", { id: "ａｄｍｉｎ" }],
    ["namespace", { namespace: ".." }],
    ["namespace", { namespace: "default/admin" }],
    ["trust domain", { trustDomain: "LOCALHOST" }],
    ["trust domain", { trustDomain: "localhost/ns/default/dapr-sentry" }],
    ["trust domain", { trustDomain: "spiffe://user@localhost" }],
  ])("a name that would be another's in an id is refused: %s %j", async (_what, facts) => {
    await expect(ask(facts)).rejects.toMatchObject({ code: 7 });
  });

  it("a forged, borrowed or outdated token proves nothing", async () => {
    const now = Date.now();
    const other = tokenKey("mykey", "rsa");
    const signed = `${part({ alg: "HS256", kid: "mykey" })}.${part(CLAIMS)}`;
    const hmac = createHmac("sha256", key.jwk.n ?? "")
      .update(signed)
      .digest("base64url");
    const tokens = [
      `${part({ alg: "none", kid: "mykey" })}.${part(CLAIMS)}.`,
      `${signed}.${hmac}`,
      await signToken(other, now, CLAIMS),
      await signToken(other, now, CLAIMS, { jwk: other.jwk }),
      await signToken(key, now, { ...CLAIMS, exp: 1 }),
      await signToken(key, now, { ...CLAIMS, nbf: now / 1000 + 3_600 }),
      await signToken(key, now, { ...CLAIMS, aud: ["spiffe://localhost/ns/default/dapr-placement"] }),
      await signToken(key, now, { ...CLAIMS, sub: "spiffe://public/ns/default/other" }),
      await signToken(key, now, CLAIMS, { kid: "" }),
      `${await signToken(key, now, CLAIMS)}x`,
    ];
    for (const token of tokens) {
      await expect(ask({ token }), token).rejects.toMatchObject({ code: 7 });
    }
    // The insecure validator is not there to fall back on.
    await expect(ask({ token: "", tokenValidator: TokenValidator.INSECURE })).rejects.toMatchObject({ code: 3 });
    await expect(ask({ token: "", tokenValidator: 77 as TokenValidator })).rejects.toMatchObject({ code: 3 });
    await stands();
  });

  it("no token or key is told to anybody", async () => {
    const canary = "canary-7f2e9b";
    await expect(ask({ token: canary })).rejects.toMatchObject({ code: 7 });
    expect(sentry.program.output).not.toContain(canary);
    expect(sentry.program.output).not.toContain("PRIVATE KEY");
    const text = await (await fetch(`http://127.0.0.1:${await sentry.oidcPort()}/jwks.json`)).text();
    for (const secret of ['"d"', '"p"', '"q"']) {
      expect(text).not.toContain(secret);
    }
  });

  it("connections that do not begin TLS, or end it at once, hold nobody up and are closed", async () => {
    const silent = await Promise.all(Array.from({ length: 300 }, () => open(sentry.port)));
    const rude = await Promise.all(Array.from({ length: 100 }, () => open(sentry.port)));
    for (const socket of rude) {
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    }
    await stands();
    await until("all of them are closed", () => [...silent, ...rude].every((socket) => socket.destroyed), 30_000);
  });
});

describe("against its OIDC server", () => {
  it.each([
    "//jwks.json",
    "/./jwks.json",
    "/x/../jwks.json",
    "/%6awks.json",
    "/JWKS.json",
    "/jwks.json/",
    "/jwks.json%00",
    "/../../etc/passwd",
    `/${"a".repeat(8_000)}`,
  ])("the path %.40s is none", async (path) => {
    expect(await raw(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it.each(["evil.test/x", "u@evil.test", "evil.test\\x", "a b"])(
    "the host %j is not put into a document",
    async (host) => {
      const answer = await raw(
        `GET /.well-known/openid-configuration HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).not.toContain("issuer");
    },
  );

  it.each([
    ["a head that is too large", `GET /jwks.json HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, 431],
    ["no HTTP", "\u0016\u0003\u0001\u0000\u0000\r\n\r\n", 400],
    ["a body", "POST /jwks.json HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi", 405],
  ])("%s is refused", async (_what, request, status) => {
    expect(await raw(request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it("a head that does not end is given up, while others are answered", async () => {
    const port = await sentry.oidcPort();
    const slow = await Promise.all(Array.from({ length: 100 }, () => open(port)));
    for (const socket of slow) {
      socket.write("GET /jwks.json HTTP/1.1\r\nhost: a\r\n");
    }
    expect((await fetch(`http://127.0.0.1:${port}/jwks.json`)).status).toBe(200);
    await until("all of them are closed", () => slow.every((socket) => socket.destroyed), 30_000);
  });
});

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", reject);
    socket.resume();
  });
}

/** All that the OIDC server says to these bytes. */
async function raw(bytes: string): Promise<string> {
  const socket = await open(await sentry.oidcPort());
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
  socket.write(bytes, "latin1");
  await closed;
  return answer;
}
