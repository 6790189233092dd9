import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Handler, handlerResources, pipelineConfiguration, serve, type TestServer } from "../harness/pipeline.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const first = await generateKeyPair("RS256", { extractable: true });
const other = await generateKeyPair("ES256", { extractable: true });
const publicKey = { ...(await exportJWK(first.publicKey)), kid: "one", alg: "RS256" };

const seconds = (): number => Math.floor(Date.now() / 1_000);

describe("middleware.http.bearer", () => {
  let provider: TestServer;
  let one: TestSidecar;
  beforeAll(async () => {
    provider = await serve((request) =>
      request.url === "/.well-known/openid-configuration"
        ? { body: JSON.stringify({ issuer: provider.url, jwks_uri: `${provider.url}/keys` }) }
        : { body: JSON.stringify({ keys: [publicKey, { kty: "oct", kid: "shared", k: "c2VjcmV0c2VjcmV0c2VjcmV0" }] }) },
    );
    const bearer: Handler = { name: "bearer", type: "bearer", metadata: { issuerURL: provider.url, audience: "shop" } };
    one = await startTestSidecar({
      configuration: pipelineConfiguration({ httpPipeline: [bearer] }),
      resources: handlerResources([bearer]),
    });
  });
  afterAll(async () => {
    await one.stop();
    await provider[Symbol.asyncDispose]();
  });

  const status = async (authorization?: string): Promise<number> =>
    (await one.fetch("/v1.0/metadata", authorization === undefined ? {} : { headers: { authorization } })).status;

  const token = (claims: JWTPayload = {}, header: { alg?: string; kid?: string } = {}, key = first.privateKey) =>
    new SignJWT({ iss: provider.url, aud: "shop", exp: seconds() + 60, ...claims })
      .setProtectedHeader({ alg: "RS256", kid: "one", ...header })
      .sign(key);

  it("lets a valid token pass, however the scheme is written, and a list of audiences", async () => {
    expect(await status(`Bearer ${await token()}`)).toBe(200);
    expect(await status(`bearer ${await token({ aud: ["else", "shop"] })}`)).toBe(200);
    expect(provider.asked).toEqual(["GET /.well-known/openid-configuration ", "GET /keys "]);
  });

  it("takes clocks that differ by less than five minutes", async () => {
    expect(
      await status(`Bearer ${await token({ exp: seconds() - 240, nbf: seconds() + 240, iat: seconds() + 240 })}`),
    ).toBe(200);
    expect(await status(`Bearer ${await token({ exp: seconds() - 360 })}`)).toBe(401);
    expect(await status(`Bearer ${await token({ nbf: seconds() + 360 })}`)).toBe(401);
    expect(await status(`Bearer ${await token({ iat: seconds() + 360 })}`)).toBe(401);
  });

  it("refuses all others with 401 and no more than that", async () => {
    const valid = await token();
    const [header = "", payload = ""] = valid.split(".");
    const none = `${Buffer.from('{"alg":"none","kid":"one"}').toString("base64url")}.${payload}.`;
    const hmacHeader = Buffer.from('{"alg":"HS256","kid":"shared"}').toString("base64url");
    const mac = createHmac("sha256", Buffer.from("secretsecretsecret"))
      .update(`${hmacHeader}.${payload}`)
      .digest("base64url");
    for (const authorization of [
      undefined,
      "",
      "Bearer",
      "Bearer x",
      `Basic ${valid}`,
      valid,
      `Bearer ${valid}x`,
      `Bearer ${header}.${payload}.`,
      `Bearer ${none}`,
      `Bearer ${hmacHeader}.${payload}.${mac}`,
      `Bearer ${await token({ iss: "https://else.test" })}`,
      `Bearer ${await token({ aud: "else" })}`,
      `Bearer ${await token({}, { kid: "two" })}`,
      `Bearer ${await token({}, { alg: "ES256" }, other.privateKey)}`,
      `Bearer ${"a".repeat(3_000)}`,
      "Bearer ....................",
    ]) {
      expect(await status(authorization)).toBe(401);
    }
    const refused = await one.fetch("/v1.0/metadata");
    expect([refused.headers.get("content-type"), await refused.text()]).toEqual([
      "text/plain; charset=utf-8",
      "Unauthorized",
    ]);
    const signature = valid.split(".")[2] ?? "";
    expect(one.logger.said(signature)).toBe(false);
  });
});

it.each([
  [{}, "metadata property 'issuer' is required"],
  [{ issuer: "http://x" }, "metadata property 'audience' is required"],
  [{ issuer: "URL", audience: "a" }, "doesn't match the one provided in the component's metadata"],
  [
    { issuer: "URL/none", audience: "a" },
    "failed to retrieve OpenID Configuration document: invalid response status code: 404",
  ],
  [{ issuer: "x", audience: "a", jwksURL: "URL/none" }, "failed to fetch JWKS: "],
  [{ issuer: "x", audience: "a", jwksURL: "URL/text" }, "failed to fetch JWKS: failed to parse JWKS: "],
])("%j keeps the sidecar from starting", async (metadata, message) => {
  await using server = await serve((request) =>
    request.url === "/none" || request.url?.startsWith("/none/") === true
      ? { status: 404 }
      : { body: request.url === "/text" ? "hi" : '{"issuer":"https://else.test","jwks_uri":"https://else.test/keys"}' },
  );
  const fields = Object.fromEntries(
    Object.entries(metadata as Record<string, string>).map(([name, value]) => [name, value.replace("URL", server.url)]),
  );
  const bearer: Handler = { name: "bearer", type: "bearer", metadata: fields };
  await expect(startTestSidecar({ resources: handlerResources([bearer]) })).rejects.toThrow(
    `[CREATE_COMPONENT_FAILURE]: initialization error occurred for bearer (middleware.http.bearer/v1): process component bearer error: error creating HTTP middleware middleware.http.bearer/v1: `,
  );
  await expect(startTestSidecar({ resources: handlerResources([bearer]) })).rejects.toThrow(message);
});
