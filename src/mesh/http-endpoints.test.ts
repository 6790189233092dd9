import { describe, expect, test } from "vitest";
import { discardBody } from "../app/body.ts";
import type { InvokeCall } from "../app/types.ts";
import type { HttpEndpoint } from "../inventory/http-endpoint.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { HttpClientError } from "../net/http/errors.ts";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../net/http/self-signed.fixture.ts";
import type { HttpRequest, HttpResponse } from "../net/http/types.ts";
import { HttpEndpoints } from "./http-endpoints.ts";
import { URL_CLIENTS_MAX } from "./limits.ts";

function callOf(more: Partial<InvokeCall> = {}): InvokeCall {
  return {
    method: "a b",
    verb: "GET",
    query: "",
    headers: [],
    origin: "http",
    contentType: "",
    body: new Uint8Array(0),
    ...more,
  };
}

function endpointOf(more: Partial<HttpEndpoint> = {}): HttpEndpoint {
  return { name: "shop", baseUrl: "https://shop.example/v1/", headers: [], tls: undefined, ...more };
}

const ok: HttpResponse = {
  status: 200,
  headers: ["Content-Type", "t/p", "Connection", "close"],
  body: Buffer.from("yo"),
};

function setUp(answer: (request: HttpRequest) => Promise<HttpResponse> = () => Promise.resolve(ok)) {
  const requests: (HttpRequest & { readonly origin: string })[] = [];
  const opened: string[] = [];
  const closed: string[] = [];
  const counted: string[] = [];
  const endpoints = new HttpEndpoints({
    connect: (origin) => {
      opened.push(origin);
      return Promise.resolve({
        request: (request) => {
          requests.push({ ...request, origin });
          return answer(request);
        },
        close: () => Promise.resolve(void closed.push(origin)),
      });
    },
    clock: new VirtualClock(),
    metrics: {
      requestSent: (destination) => void counted.push(`to ${destination}`),
      answerReceived: (source, status) => void counted.push(`${status} from ${source}`),
    },
  });
  return { endpoints, requests, opened, closed, counted };
}

describe("a call", () => {
  test("goes to the base URL's path over one client, and its answer comes back without the headers of the hop", async () => {
    const { endpoints, requests, opened, counted } = setUp();
    endpoints.load(endpointOf());
    expect(opened).toEqual([]);
    const reply = await endpoints.invoke("shop", callOf({ query: "q=1" }));
    await endpoints.invoke("shop", callOf({ method: "", query: "q=2" }));
    await endpoints.invoke("shop", callOf({ method: "" }));
    expect(requests.map(({ origin, target }) => origin + target)).toEqual([
      "https://shop.example/v1/a%20b?q=1",
      "https://shop.example/v1?q=2",
      "https://shop.example/v1",
    ]);
    expect(opened).toEqual(["https://shop.example"]);
    expect(reply).toEqual({
      status: { kind: "http", code: 200 },
      headers: ["Content-Type", "t/p"],
      trailers: [],
      contentType: "t/p",
      body: Buffer.from("yo"),
    });
    expect(counted.slice(0, 2)).toEqual(["to shop", "200 from shop"]);
  });

  test("carries the endpoint's headers in place of the caller's, and never a framing of its own", async () => {
    const { endpoints, requests } = setUp();
    endpoints.load(
      endpointOf({
        headers: [
          { name: "X-Key", value: "ours" },
          { name: "Host", value: "elsewhere" },
          { name: "Content-Length", value: "9" },
        ],
      }),
    );
    const headers = ["x-key", "theirs", "X-Mine", "1", "te", "trailers", "Connection", "x-secret", "x-secret", "s"];
    await endpoints.invoke("shop", callOf({ headers, contentType: "t/p" }));
    expect(requests[0]?.headers).toEqual(["x-mine", "1", "content-type", "t/p", "x-key", "ours"]);
  });

  test("brings the user of the base URL unless it brings credentials of its own", async () => {
    const { endpoints, requests } = setUp();
    endpoints.load(endpointOf({ baseUrl: "http://me:p%40ss@shop.example" }));
    await endpoints.invoke("shop", callOf());
    await endpoints.invoke("shop", callOf({ headers: ["Authorization", "Bearer x"] }));
    const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
    expect(requests.map((request) => request.headers)).toEqual([
      ["authorization", basic],
      ["authorization", "Bearer x"],
    ]);
    expect(requests[0]?.origin).toBe("http://shop.example");
  });

  test("keeps the length that a streamed body was declared with", async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x");
    }
    const { endpoints, requests } = setUp();
    await endpoints.invoke("http://x", callOf({ verb: "POST", headers: ["Content-Length", "7"], body: body() }));
    expect(requests[0]).toMatchObject({ method: "POST", headers: ["content-length", "7"] });
  });

  test("tells in Go's words why there is no answer", async () => {
    const refused = Object.assign(new Error("no"), { code: "ECONNREFUSED" });
    const { endpoints } = setUp(() => Promise.reject(new HttpClientError("connect", "no", refused)));
    await expect(endpoints.invoke("http://localhost:81", callOf())).rejects.toThrow(
      'Get "http://localhost:81/a%20b": dial tcp localhost:81: connect: connection refused',
    );
    await expect(endpoints.invoke("http://localhost:81", callOf({ verb: "CONNECT" }))).rejects.toThrow(
      "invalid HTTP verb",
    );
  });
});

describe("URLs without an endpoint", () => {
  test("share a client each, of which the least recently used idle one makes room", async () => {
    const { endpoints, opened, closed } = setUp();
    for (let index = 0; index < URL_CLIENTS_MAX; index += 1) {
      await endpoints.invoke(`http://h${index}`, callOf());
    }
    await endpoints.invoke("http://h0", callOf());
    await endpoints.invoke("http://late", callOf());
    await Promise.resolve();
    await Promise.resolve();
    expect(opened).toHaveLength(URL_CLIENTS_MAX + 1);
    expect(closed).toEqual(["http://h1"]);
  });

  test("are refused beyond the limit while all are in use, a body that is still read among them", async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x");
    }
    const { endpoints } = setUp(() => Promise.resolve({ ...ok, body: body() }));
    const replies = [];
    for (let index = 0; index < URL_CLIENTS_MAX; index += 1) {
      replies.push(await endpoints.invoke(`http://h${index}`, callOf()));
    }
    await expect(endpoints.invoke("http://late", callOf())).rejects.toThrow(`calls of ${URL_CLIENTS_MAX} URLs`);
    await discardBody(replies[9]?.body ?? expect.fail());
    expect((await endpoints.invoke("http://late", callOf())).status.code).toBe(200);
  });

  test("may be missing from an endpoint, which its callers are told", async () => {
    const { endpoints } = setUp();
    endpoints.load(endpointOf({ baseUrl: "" }));
    await expect(endpoints.invoke("shop", callOf())).rejects.toThrow('parse "": not an http or https URL');
  });

  test.each(["ftp://x", "http://", "no url"])("%s is none", async (url) => {
    await expect(setUp().endpoints.invoke(url, callOf())).rejects.toThrow(`parse "${url}": not an http or https URL`);
  });
});

describe("an endpoint cannot be loaded", () => {
  const tls = { rootCa: undefined, certificate: undefined, privateKey: undefined, renegotiation: "" };

  test.each([
    [{ ...tls, rootCa: "no PEM" }, "failed to add root cert to cert pool for http endpoint shop"],
    [
      { ...tls, privateKey: SELF_SIGNED_KEY },
      "failed to load client certificate for http endpoint shop: tls: failed to find any PEM data in certificate input",
    ],
    [
      { ...tls, certificate: SELF_SIGNED_CERT, privateKey: "no PEM" },
      "failed to load client certificate for http endpoint shop: tls: failed to find any PEM data in key input",
    ],
    [{ ...tls, renegotiation: "Sometimes" }, "invalid renegotiation value Sometimes for http endpoint shop"],
  ])("with %j", (documents, message) => {
    const { endpoints } = setUp();
    expect(() => endpoints.load(endpointOf({ tls: documents }))).toThrow(message);
    expect(endpoints.baseUrlOf("shop")).toBeUndefined();
  });

  test("unless its certificates are in order", () => {
    const { endpoints } = setUp();
    const documents = {
      rootCa: SELF_SIGNED_CERT,
      certificate: SELF_SIGNED_CERT,
      privateKey: SELF_SIGNED_KEY,
      renegotiation: "OnceAsClient",
    };
    endpoints.load(endpointOf({ tls: documents }));
    expect(endpoints.baseUrlOf("shop")).toBe("https://shop.example/v1/");
  });
});

describe("an endpoint that changes", () => {
  test("has its calls under way where they began, and is left when the last one has ended", async () => {
    const held = Promise.withResolvers<HttpResponse>();
    const { endpoints, opened, closed } = setUp(({ target }) =>
      target.includes("held") ? held.promise : Promise.resolve(ok),
    );
    endpoints.load(endpointOf());
    const under = endpoints.invoke("shop", callOf({ method: "held" }));
    await endpoints.invoke("shop", callOf());
    endpoints.load(endpointOf({ baseUrl: "https://other.example" }));
    expect(endpoints.baseUrlOf("shop")).toBe("https://other.example");
    await endpoints.invoke("shop", callOf());
    expect(opened).toEqual(["https://shop.example", "https://other.example"]);
    expect(closed).toEqual([]);
    held.resolve(ok);
    expect((await under).status.code).toBe(200);
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toEqual(["https://shop.example"]);
    endpoints.unload("shop");
    expect(endpoints.baseUrlOf("shop")).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toEqual(["https://shop.example", "https://other.example"]);
  });

  test("is closed with the sidecar, calls under way or not", async () => {
    const { endpoints, closed } = setUp(() => new Promise(() => undefined));
    endpoints.load(endpointOf());
    void endpoints.invoke("shop", callOf());
    endpoints.unload("shop");
    await new Promise((resolve) => setImmediate(resolve));
    await endpoints.close();
    expect(closed).toEqual(["https://shop.example"]);
  });
});
