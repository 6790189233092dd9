import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from "jose";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { afterEach, expect, it } from "vitest";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../../src/net/http/self-signed.fixture.ts";
import { makeCertificateRequest } from "../../src/security/certificate-request.ts";
import { type SentryProgram, startSentryProgram } from "../harness/sentry-program.ts";

const ON = ["--jwt-enabled", "--oidc-enabled", "--oidc-server-listen-port=0"] as const;
const PLAIN = [...ON, "--oidc-server-tls-enabled=false"] as const;
const DISCOVERY = "/.well-known/openid-configuration";

let sentry: SentryProgram | undefined;
afterEach(async () => {
  await sentry?.[Symbol.asyncDispose]();
  sentry = undefined;
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

interface Asked {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly secure?: boolean;
}

function ask(port: number, { path, headers = {}, method = "GET", secure = false }: Asked): Promise<Answer> {
  const send = secure ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      { host: "127.0.0.1", port, path, method, headers, agent: false, rejectUnauthorized: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    request.once("error", reject);
    request.end();
  });
}

async function start(flags: readonly string[], files = {}): Promise<number> {
  sentry = await startSentryProgram({ flags, files });
  return await sentry.oidcPort();
}

it("publishes the keys of the JWTs that workloads get", async () => {
  const port = await start([...PLAIN, "--jwt-issuer=https://issuer.example"]);
  const { request } = makeCertificateRequest();
  const answer = await (sentry as SentryProgram).sign({
    id: "myapp",
    namespace: "default",
    certificateSigningRequest: Buffer.from(request),
    jwtAudiences: ["bank"],
  });
  const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${port}/jwks.json`), { timeoutDuration: 30_000 });
  const options = { issuer: "https://issuer.example", subject: "spiffe://public/ns/default/myapp" };
  await jwtVerify(answer.jwt ?? "", keys, { ...options, audience: "public" });
  await jwtVerify(answer.perAudienceJwts["bank"]?.value ?? "", keys, { ...options, audience: "bank" });

  const jwks = await ask(port, { path: "/jwks.json" });
  expect(jwks).toMatchObject({
    status: 200,
    headers: { "content-type": "application/json", "cache-control": "public, max-age=3600" },
  });
  createLocalJWKSet(JSON.parse(jwks.text) as { keys: [] });
  const discovery = await ask(port, { path: DISCOVERY });
  expect(JSON.parse(discovery.text)).toEqual({
    issuer: "https://issuer.example",
    jwks_uri: "https://issuer.example/jwks.json",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    scopes_supported: ["openid"],
    claims_supported: ["sub", "iss", "aud", "exp", "iat", "nbf", "use"],
  });
});

it("names itself by the host that is asked for, under a prefix, and only with GET", async () => {
  const port = await start([...PLAIN, "--oidc-path-prefix=/auth/"]);
  const { text } = await ask(port, { path: `/auth${DISCOVERY}`, headers: { host: "sentry.example:8080" } });
  expect(JSON.parse(text)).toMatchObject({
    issuer: "http://sentry.example:8080",
    jwks_uri: "http://sentry.example:8080/auth/jwks.json",
  });
  expect((await ask(port, { path: "/jwks.json" })).status).toBe(404);
  expect((await ask(port, { path: "/auth/jwks.json" })).status).toBe(200);
  for (const method of ["POST", "HEAD", "DELETE", "OPTIONS"]) {
    expect((await ask(port, { path: "/auth/jwks.json", method })).status, method).toBe(405);
  }
});

it("says where the keys are as it is told", async () => {
  const port = await start([...PLAIN, "--oidc-jwks-uri=https://cdn.example/keys"]);
  const { text } = await ask(port, { path: DISCOVERY, headers: { host: "sentry.example" } });
  expect(JSON.parse(text)).toMatchObject({ issuer: "http://sentry.example", jwks_uri: "https://cdn.example/keys" });
});

it("answers for the hosts of its list, and believes a proxy only about them", async () => {
  const port = await start([...PLAIN, "--oidc-allowed-hosts=sentry.example,inside"]);
  const issuer = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
    const { status, text } = await ask(port, { path: DISCOVERY, headers });
    return status === 200 ? (JSON.parse(text) as { issuer: string }).issuer : `${status} ${text.trim()}`;
  };
  expect(await issuer({ host: "sentry.example:1" })).toBe("http://sentry.example:1");
  expect(await issuer({ host: "inside", "x-forwarded-host": "sentry.example" })).toBe("http://sentry.example");
  expect(await issuer({ host: "evil.test" })).toBe("403 Forbidden: unauthorized domain");
  expect(await issuer({ host: "inside", "x-forwarded-host": "evil.test" })).toBe("403 Forbidden: unauthorized domain");
});

it.each([[[]], [["--oidc-allowed-hosts=*"]]])("lets no proxy name it where any host is allowed: %j", async (flags) => {
  const port = await start([...PLAIN, ...flags]);
  const headers = { host: "sentry.example", "x-forwarded-host": "evil.test" };
  const { text } = await ask(port, { path: DISCOVERY, headers });
  expect(text).not.toContain("evil.test");
  expect(JSON.parse(text)).toMatchObject({ issuer: "http://sentry.example" });
});

it("speaks TLS with the files it is given", async () => {
  const port = await start([...ON, "--oidc-server-tls-cert-file=tls.crt", "--oidc-server-tls-key-file=tls.key"], {
    "tls.crt": SELF_SIGNED_CERT,
    "tls.key": SELF_SIGNED_KEY,
  });
  const { text } = await ask(port, { path: DISCOVERY, headers: { host: "sentry.example" }, secure: true });
  expect(JSON.parse(text)).toMatchObject({ issuer: "https://sentry.example" });
  await expect(ask(port, { path: DISCOVERY })).rejects.toThrow();
});
