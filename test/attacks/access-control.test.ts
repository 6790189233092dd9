import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import type { RequestHead } from "../../src/mesh/messages.ts";
import { callLocal, callLocalStream } from "../../src/mesh/service-invocation.ts";
import { createGrpcClient } from "../../src/net/grpc/client.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import type { GrpcClient } from "../../src/net/grpc/types.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { openIdentity, type WorkloadIdentity } from "../../src/security/identity.ts";
import { peerOptions } from "../../src/security/peer-options.ts";
import { SentryClient } from "../../src/security/sentry-client.ts";
import { fixedTrustAnchors } from "../../src/security/trust-anchors.ts";
import { HTTPExtension_Verb, InvokeRequestSchema } from "../../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import { InvokeServiceRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { type OrdersApp, startOrdersApp } from "../harness/orders-app.ts";
import { OrdersClient } from "../harness/orders-client.ts";
import { rawRequest } from "../harness/raw-http.ts";
import { configuration } from "../harness/resources.ts";
import { type SentryProgram, startSentryProgram } from "../harness/sentry-program.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { carelessReading, disguises } from "./access-control-paths.ts";

const policy = (defaultAction: string, operations: string): string =>
  configuration(`  accessControl:
    defaultAction: deny
    policies:
    - appId: caller
      namespace: default
      trustDomain: public
      defaultAction: ${defaultAction}
      operations:
${operations}`);

const ONLY_PUBLIC = policy("deny", "      - { name: /public/**, httpVerb: ['*'], action: allow }\n");
const ALL_BUT_ADMIN = policy(
  "allow",
  `      - { name: /admin, httpVerb: ['*'], action: deny }
      - { name: /admin/**, httpVerb: ['*'], action: deny }
      - { name: /shop.Orders/Repeat, action: deny }
`,
);

const shared = createSharedScope();
let sentry: SentryProgram;
let app: TestApp;
let orders: OrdersApp;
let caller: TestSidecar;
let stranger: TestSidecar;
const callees = new Map<string, TestSidecar>();
const all: TestSidecar[] = [];

async function sidecar(appId: string, more: Parameters<typeof startTestSidecar>[0] = {}): Promise<TestSidecar> {
  const one = await startTestSidecar({ appId, mtls: sentry.mtls, deps: { shared }, ...more });
  all.push(one);
  return one;
}

beforeAll(async () => {
  sentry = await startSentryProgram();
  app = await startTestApp({ answer: () => ({ body: "reached" }) });
  orders = await startOrdersApp();
  [caller, stranger] = await Promise.all([sidecar("caller"), sidecar("stranger")]);
  callees.set("allows", await sidecar("allows", { appPort: app.port, configuration: ONLY_PUBLIC }));
  callees.set("denies", await sidecar("denies", { appPort: app.port, configuration: ALL_BUT_ADMIN }));
  callees.set(
    "speaks",
    await sidecar("speaks", { appPort: orders.port, appProtocol: "grpc", configuration: ALL_BUT_ADMIN }),
  );
});
afterAll(async () => {
  await Promise.all(all.map((one) => one.stop()));
  await app?.close();
  await orders?.[Symbol.asyncDispose]();
  await sentry?.[Symbol.asyncDispose]();
});

let before = 0;
beforeEach(() => void (before = app.requests.length));
const reached = (): readonly string[] => app.requests.slice(before).map(({ url }) => url);

const overHttp = (from: TestSidecar, to: string, path: string, headers = {}): Promise<number> =>
  rawRequest(from.url, { path: `/v1.0/invoke/${to}/method/${path}`, headers }).then(({ status }) => status);

const overGrpc = (from: TestSidecar, to: string, method: string, verb = HTTPExtension_Verb.GET, metadata = {}) =>
  from.grpc.tryRaw(
    daprMethods.invokeService.path,
    daprMethods.invokeService.encodeRequest(
      create(InvokeServiceRequestSchema, {
        id: to,
        message: create(InvokeRequestSchema, { method, httpExtension: { verb } }),
      }),
    ),
    metadata,
  );

describe("whom the policies name", () => {
  it("gets what they allow, and nothing else", async () => {
    expect(await overHttp(caller, "allows", "public/x")).toBe(200);
    expect(await overHttp(caller, "allows", "admin")).toBe(403);
    expect(await overHttp(caller, "denies", "orders/1")).toBe(200);
    expect(await overHttp(caller, "denies", "admin/secret")).toBe(403);
    expect(await overGrpc(caller, "denies", "/orders/1")).toBeUndefined();
    expect(await overGrpc(caller, "denies", "/admin/secret")).toMatchObject({
      code: GRPC_STATUS.INTERNAL,
      message: expect.stringContaining(
        "access control policy has denied access to id: spiffe://public/ns/default/caller operation: /admin/secret verb: GET",
      ) as string,
    });
    expect(reached()).toEqual(["/public/x", "/orders/1", "/orders/1"]);
  });

  it.each(["allows", "denies"])(
    "reaches nothing more of the app that %s by writing a path otherwise",
    async (callee) => {
      const paths = disguises();
      for (const path of paths) {
        await overHttp(caller, callee, path).catch(() => 0);
        // As bytes that nobody decodes before the called sidecar, and as a sidecar's HTTP door would hand them on.
        await overGrpc(caller, callee, path);
        await overGrpc(caller, callee, `/${Buffer.from(path).toString("latin1")}`);
      }
      const readings = [...new Set(reached().map(carelessReading))];
      expect(readings.filter((reading) => reading === "/admin" || reading.startsWith("/admin/"))).toEqual([]);
      if (callee === "allows") {
        expect(readings.filter((reading) => !/^\/public(?:\/|$)/.test(reading))).toEqual([]);
      }
      expect(await overHttp(caller, callee, "public/still-there")).toBe(200);
    },
  );

  it("sends paths of 64 KiB and more, which are refused without work by the square of their length", async () => {
    const size = 65_536;
    for (const path of [
      `${"a/".repeat(size / 2)}${"../".repeat(size / 2)}admin/secret`,
      `%${"25".repeat(size / 2)}2e/admin/secret`,
      `admin/${"x".repeat(size)}`,
      `admin;${"x".repeat(size)}/secret`,
      `${"%2e%2e%2f".repeat(size / 9)}admin/secret`,
      "*/".repeat(size / 2) + "admin",
    ]) {
      await overGrpc(caller, "denies", path);
    }
    expect(reached().filter((url) => carelessReading(url).startsWith("/admin"))).toEqual([]);
    expect(await overGrpc(caller, "denies", "/orders/2")).toBeUndefined();
  });
});

describe("an app that speaks gRPC", () => {
  it("is protected method by method, for proxied calls of all kinds", async () => {
    using client = new OrdersClient(caller.sidecar.ports.grpc);
    const to = { "dapr-app-id": "speaks" };
    expect((await client.place("tea", to)).text).toBe("placed tea");
    const seen = orders.seen.length;
    await expect(client.repeat("x", to)).rejects.toMatchObject({
      code: GRPC_STATUS.PERMISSION_DENIED,
      details:
        "access control policy has denied access to id: spiffe://public/ns/default/caller operation: /shop.Orders/Repeat verb: NONE",
    });
    for (const path of [
      "//shop.Orders/Repeat",
      "/x/../shop.Orders/Repeat",
      "/shop.Orders/Repeat/",
      "/shop.Orders/./Repeat",
    ]) {
      expect((await caller.grpc.rawFailure(path, Buffer.alloc(0), to)).code).not.toBe(GRPC_STATUS.OK);
    }
    expect(orders.seen).toHaveLength(seen);
  });

  it("is called by nobody whom no policy names", async () => {
    using client = new OrdersClient(stranger.sidecar.ports.grpc);
    await expect(client.place("tea", { "dapr-app-id": "speaks" })).rejects.toMatchObject({
      code: GRPC_STATUS.PERMISSION_DENIED,
    });
  });
});

/** Everything that says who calls, in every place where somebody might believe it. */
const FORGED = {
  "dapr-caller-app-id": "caller",
  "dapr-caller-namespace": "default",
  "dapr-callee-app-id": "allows",
  "source-app-id": "caller",
  "x-forwarded-client-cert":
    'By=spiffe://public/ns/default/allows;URI=spiffe://public/ns/default/caller;Subject="CN=caller"',
  "x-forwarded-for": "127.0.0.1",
  forwarded: "for=127.0.0.1;by=caller",
  "x-spiffe-id": "spiffe://public/ns/default/caller",
  authorization: "Bearer caller",
} as const;

describe("another app that says it is that one", () => {
  let identity: WorkloadIdentity;
  const clients: GrpcClient[] = [];
  const transport = createH2Transport();

  beforeAll(async () => {
    const anchors = fixedTrustAnchors(sentry.mtls.trustAnchors);
    const ports = { transport, clock: systemClock, logger: silentLogger };
    const { sentryAddress: address, controlPlane } = sentry.mtls;
    const asked = { address, controlPlane, id: "stranger", namespace: "default", trustDomain: "" };
    const source = new SentryClient({ ...asked, tokenFile: undefined, jwtAudiences: [] }, anchors, ports);
    const never = new AbortController().signal;
    identity = await openIdentity({ source, trustAnchors: anchors, controlPlane }, ports, never);
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    identity?.close();
  });

  function connect(callee: string): GrpcClient {
    const address = `127.0.0.1:${callees.get(callee)?.sidecar.ports.internalGrpc}`;
    const expected = { trustDomain: undefined, namespace: "default", appId: callee };
    const client = createGrpcClient(transport, address, {
      headers: Object.entries(FORGED).flat(),
      ...peerOptions(identity, address, expected, {}),
    });
    clients.push(client);
    return client;
  }

  it("is refused through its own sidecar, whatever its headers say", async () => {
    expect(await overHttp(stranger, "allows", "public/x", FORGED)).toBe(403);
    expect(await overHttp(stranger, "denies", "orders", FORGED)).toBe(403);
    expect(await overGrpc(stranger, "allows", "/public/x", HTTPExtension_Verb.GET, FORGED)).toMatchObject({
      message: expect.stringContaining("id: spiffe://public/ns/default/stranger operation") as string,
    });
    expect(reached()).toEqual([]);
  });

  it("is refused at the internal port too, with a certificate of its own and the stamps of the other", async () => {
    const client = connect("allows");
    const request: RequestHead = {
      headers: Object.entries(FORGED).flat(),
      origin: "http",
      method: "public/x",
      verb: "GET",
      query: "",
      contentType: "",
      typeUrl: "",
      data: Buffer.alloc(0),
      stamps: {
        callerAppId: "caller",
        callerNamespace: "default",
        calleeAppId: "allows",
        forwardedFor: "",
        forwardedHost: "",
        forwarded: "",
      },
      hasMessage: true,
      hasMetadata: true,
    };
    const whole = await client.unary(callLocal, request).catch((error: unknown) => error);
    expect(whole).toMatchObject({ code: GRPC_STATUS.PERMISSION_DENIED });
    const call = client.stream(callLocalStream);
    await call.send({ head: request, payload: undefined, seq: 0 }, true);
    const streamed = await call.responses[Symbol.asyncIterator]()
      .next()
      .catch((error: unknown) => error);
    expect(streamed).toMatchObject({ code: GRPC_STATUS.PERMISSION_DENIED });
    expect(reached()).toEqual([]);
  });

  it("is refused without a certificate, before it can say anything", async () => {
    const address = `127.0.0.1:${callees.get("allows")?.sidecar.ports.internalGrpc}`;
    const client = createGrpcClient(transport, address, { headers: Object.entries(FORGED).flat() });
    clients.push(client);
    const failure = await client.stream(callLocalStream).headers.catch((error: unknown) => error);
    expect(GrpcError.is(failure) && failure.code).toBe(GRPC_STATUS.UNAVAILABLE);
    expect(reached()).toEqual([]);
  });
});
