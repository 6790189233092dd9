import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Handler, handlerResources, pipelineConfiguration, serve, type TestServer } from "../harness/pipeline.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const SECRET = "client-secret-canary";
const TOKEN = "access-token-canary";
const invoke = "/v1.0/invoke/test-app/method";

describe("middleware.http.oauth2", () => {
  let provider: TestServer;
  let app: TestApp;
  let one: TestSidecar;
  let tokenAnswer: { status?: number; headers?: Record<string, string>; body?: string };
  beforeAll(async () => {
    provider = await serve(() => tokenAnswer);
    app = await startTestApp();
    const login: Handler = {
      name: "login",
      type: "oauth2",
      metadata: {
        clientID: "shop",
        clientSecret: SECRET,
        scopes: "openid,profile",
        authURL: "https://idp.test/authorize",
        tokenURL: `${provider.url}/token`,
        redirectURL: "https://shop.test/back",
        authHeaderName: "x-token",
        pathFilter: "^/v1.0/invoke/",
      },
    };
    one = await startTestSidecar({
      appPort: app.port,
      configuration: pipelineConfiguration({ httpPipeline: [login] }),
      resources: handlerResources([login]),
    });
  });
  afterAll(async () => {
    await one.stop();
    await app.close();
    await provider[Symbol.asyncDispose]();
  });

  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    one.fetch(path, { redirect: "manual", headers });
  const cookieOf = (response: Response): string => (response.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const stateOf = (response: Response): string =>
    new URL(response.headers.get("location") ?? "").searchParams.get("state") ?? "";

  it("sends people to the provider, takes them back, and gives the app their token", async () => {
    tokenAnswer = {
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ access_token: TOKEN, token_type: "bearer", expires_in: 3600 }),
    };
    const sent = await get(`${invoke}/basket?item=1`);
    expect(sent.status).toBe(302);
    const location = new URL(sent.headers.get("location") ?? "");
    expect(location.origin + location.pathname).toBe("https://idp.test/authorize");
    expect(Object.fromEntries(location.searchParams)).toEqual({
      access_type: "offline",
      client_id: "shop",
      redirect_uri: "https://shop.test/back",
      response_type: "code",
      scope: "openid profile",
      state: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(sent.headers.get("set-cookie")).toMatch(
      /^gosessionsid=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    const cookie = cookieOf(sent);
    const back = await get(`${invoke}/back?state=${stateOf(sent)}&code=abc`, { cookie });
    expect([back.status, back.headers.get("location")]).toEqual([302, `${invoke}/basket?item=1`]);
    expect(provider.asked.at(-1)).toBe(
      "POST /token grant_type=authorization_code&code=abc&redirect_uri=https%3A%2F%2Fshop.test%2Fback",
    );
    const signedIn = cookieOf(back);
    expect(signedIn).not.toBe(cookie);
    const served = await get(`${invoke}/basket?item=1`, { cookie: `other=1; ${signedIn}`, "x-token": "forged" });
    expect(served.status).toBe(200);
    expect(app.at("/basket?item=1")[0]?.headers["x-token"]).toBe(`Bearer ${TOKEN}`);
    expect((await get(`${invoke}/basket`, { cookie })).status).toBe(302);
  });

  it("leaves paths that the filter is not about alone", async () => {
    expect((await get("/v1.0/metadata")).status).toBe(200);
  });

  it("refuses those who come back with a wrong state, no code or no session", async () => {
    const sent = await get(`${invoke}/basket`);
    const cookie = cookieOf(sent);
    const wrong = await get(`${invoke}/back?state=wrong&code=abc`, { cookie });
    expect([wrong.status, await wrong.text()]).toEqual([400, "invalid state"]);
    const without = await get(`${invoke}/back?state=${stateOf(sent)}`, { cookie });
    expect([without.status, await without.text()]).toEqual([400, "code not found"]);
    expect((await get(`${invoke}/back?state=${stateOf(sent)}&code=abc`)).status).toBe(500);
    expect(
      (await get(`${invoke}/back?state=${stateOf(sent)}&code=abc`, { cookie: `gosessionsid=${"a".repeat(43)}` }))
        .status,
    ).toBe(500);
    expect((await get(`${invoke}/x`, { cookie: `gosessionsid=${"a;b".repeat(900)}` })).status).toBe(302);
  });

  it("a token that cannot be had is a 500, and no secret is told", async () => {
    tokenAnswer = {
      status: 400,
      body: JSON.stringify({ error: "invalid_grant", error_description: SECRET, access_token: TOKEN }),
    };
    const sent = await get(`${invoke}/basket`);
    const back = await get(`${invoke}/back?state=${stateOf(sent)}&code=abc`, { cookie: cookieOf(sent) });
    expect([back.status, await back.text()]).toEqual([500, "Internal Server Error"]);
    expect(one.logger.said("Failed to exchange token: oauth2: cannot fetch token: 400 invalid_grant")).toBe(true);
    expect([one.logger.said(SECRET), one.logger.said(TOKEN)]).toEqual([false, false]);
  });

  it("a token that would break out of its header is refused", async () => {
    tokenAnswer = { body: JSON.stringify({ access_token: "a\r\nx-admin: 1" }) };
    const sent = await get(`${invoke}/basket`);
    expect((await get(`${invoke}/back?state=${stateOf(sent)}&code=abc`, { cookie: cookieOf(sent) })).status).toBe(500);
  });
});

describe("middleware.http.oauth2clientcredentials", () => {
  const handler = (tokenURL: string, more: Record<string, string> = {}): Handler => ({
    name: "client",
    type: "oauth2clientcredentials",
    metadata: {
      clientID: "me & co",
      clientSecret: SECRET,
      scopes: "a,b",
      tokenURL,
      headerName: "authorization",
      endpointParamsQuery: "audience=x&resource=y",
      ...more,
    },
  });
  const start = (app: TestApp, one: Handler): Promise<TestSidecar> =>
    startTestSidecar({
      appPort: app.port,
      configuration: pipelineConfiguration({ appHttpPipeline: [one] }),
      resources: handlerResources([one]),
    });

  it("gives all requests one token, which is asked for once", async () => {
    await using app = await startTestApp();
    const proofs: (string | undefined)[] = [];
    await using provider = await serve((request) => {
      proofs.push(request.headers.authorization);
      return { body: JSON.stringify({ access_token: TOKEN, token_type: "MAC", expires_in: "3600" }) };
    });
    await using one = await start(app, handler(`${provider.url}/token`, { pathFilter: "^/in" }));
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => one.fetch(`${invoke}/in`, { headers: { authorization: "Bearer forged" } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(app.at("/in").map(({ headers }) => headers.authorization))).toEqual(new Set([`MAC ${TOKEN}`]));
    expect(provider.asked).toEqual(["POST /token audience=x&resource=y&grant_type=client_credentials&scope=a+b"]);
    expect(proofs).toEqual([`Basic ${Buffer.from(`me+%26+co:${SECRET}`).toString("base64")}`]);
    await one.fetch(`${invoke}/out`);
    expect(app.at("/out")[0]?.headers.authorization).toBeUndefined();
  });

  it("tries the other proof where one is refused, and keeps to it", async () => {
    await using app = await startTestApp();
    await using provider = await serve((request) =>
      request.headers.authorization === undefined
        ? { body: JSON.stringify({ access_token: TOKEN, expires_in: 0.01 }) }
        : { status: 401, body: '{"error":"invalid_client"}' },
    );
    await using one = await start(app, handler(`${provider.url}/token`));
    await one.fetch(`${invoke}/in`);
    expect(app.at("/in")[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    const withBody = provider.asked.filter((line) => line.includes("client_secret="));
    expect(withBody.length).toBeGreaterThanOrEqual(1);
    expect(provider.asked.length).toBe(withBody.length + 1);
  });

  it("where there is no token, the app is not called, and nobody is told a secret", async () => {
    await using app = await startTestApp();
    await using provider = await serve(() => ({ status: 503, body: `${SECRET} ${TOKEN}` }));
    await using one = await start(app, handler(`${provider.url}/token`, { authStyle: "1" }));
    const refused = await one.fetch(`${invoke}/in`);
    expect([refused.status, await refused.text()]).toEqual([500, "Internal Server Error"]);
    expect(app.at("/in")).toEqual([]);
    expect(one.logger.said("Error acquiring token: oauth2: cannot fetch token: 503")).toBe(true);
    expect([one.logger.said(SECRET), one.logger.said(TOKEN)]).toEqual([false, false]);
  });

  it.each([
    [
      { headerName: "", scopes: "" },
      "metadata errors: Parameter 'headerName' needs to be set. Parameter 'scopes' needs to be set. ",
    ],
    [{ authStyle: "3" }, "metadata errors: Parameter 'authStyle' can only have the values 0,1,2. Received: '3'. "],
    [{ pathFilter: "invalid(" }, "metadata errors: Parameter 'pathFilter' is not a valid regex: "],
  ])("%j keeps the sidecar from starting", async (metadata, message) => {
    const one = handler("http://127.0.0.1:1/token", metadata);
    await expect(startTestSidecar({ resources: handlerResources([one]) })).rejects.toThrow(message);
  });
});
