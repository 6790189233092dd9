import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { signToken, tokenKey, WORKLOAD_URI } from "../../src/control-plane/sentry/validators/tokens.fixture.ts";
import { makeCertificateRequest } from "../../src/security/certificate-request.ts";
import { SignCertificateRequest_TokenValidator as TokenValidator } from "../../src/wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { type SentryProgram, startSentryProgram } from "../harness/sentry-program.ts";
import { until } from "../harness/until.ts";

const AUDIENCE = { aud: ["spiffe://localhost/ns/default/dapr-sentry"], sub: WORKLOAD_URI };

let sentry: SentryProgram | undefined;
let server: Server | undefined;
afterEach(async () => {
  await sentry?.[Symbol.asyncDispose]();
  sentry = undefined;
  server?.closeAllConnections();
  server?.close();
});

/** A server of keys; `keys` may change. */
async function serveKeys(answer: () => string): Promise<string> {
  server = createServer((_request, response) => response.end(answer()));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
}

function spec(source: string): string {
  return `  mtls:
    tokenValidators:
      - name: jwks
        options:
          source: ${JSON.stringify(source)}
          minRefreshInterval: 1100ms
          requestTimeout: 5s
`;
}

function ask(token: string, facts: object = {}) {
  const { request } = makeCertificateRequest();
  return {
    id: "myapp",
    namespace: "default",
    token,
    tokenValidator: TokenValidator.JWKS,
    certificateSigningRequest: Buffer.from(request),
    ...facts,
  };
}

it("checks tokens with keys that it fetches, follows them, and keeps them while they cannot be had", async () => {
  const [first, second] = [tokenKey("first"), tokenKey("second")];
  let keys = JSON.stringify({ keys: [first.jwk] });
  const source = await serveKeys(() => keys);
  sentry = await startSentryProgram({ spec: spec(source) });
  const { sign, program } = sentry;
  const token = (key: typeof first) => signToken(key, Date.now(), AUDIENCE);

  expect((await sign(ask(await token(first)))).workloadCertificate.length).toBeGreaterThan(0);
  await expect(sign(ask(await token(second)))).rejects.toMatchObject({ code: 7 });
  await expect(sign(ask(await token(first), { id: "other" }))).rejects.toMatchObject({
    code: 7,
    details: 'token validation failed: "sub" not satisfied',
  });
  await expect(sign(ask("", { tokenValidator: TokenValidator.UNKNOWN }))).rejects.toMatchObject({
    code: 3,
    details: "a validator name must be specified in this environment",
  });

  keys = JSON.stringify({ keys: [second.jwk] });
  await until("the new key is known", async () => {
    return (await sign(ask(await token(second)))).workloadCertificate.length > 0;
  });
  keys = `{"keys":[${"{}".padEnd(2 * 1024 * 1024, " ")}]}`;
  await program.says("Error while refreshing JWKS cache: a JWKS has at most 1048576 bytes");
  expect((await sign(ask(await token(second)))).workloadCertificate.length).toBeGreaterThan(0);
  expect(program.output).not.toContain(await token(second));
});

it("ends where there are no keys to begin with, and says where it looked", async () => {
  const source = await serveKeys(() => "no keys");
  // It opens its port before it looks for keys, so that its end may or may not come before its start is seen.
  const outcome = await startSentryProgram({ spec: spec(source) }).then(
    async (started) => {
      sentry = started;
      const { code } = await started.program.ended;
      return `sentry ended with ${code}; it said\n${started.program.output}`;
    },
    (error: Error) => error.message,
  );
  expect(outcome).toContain("sentry ended with 1; it said");
  expect(outcome).toMatch(/level=fatal msg="[^\n]*failed to fetch JWKS/);
});
