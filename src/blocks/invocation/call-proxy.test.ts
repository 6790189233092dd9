import { describe, expect, test } from "vitest";
import { AppPassage } from "../../app/app-passage.ts";
import { ApiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { PeerPassage } from "../../mesh/peer-passage.ts";
import type { InvocationTarget } from "../../mesh/target.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { GrpcServer, rawMethod } from "../../net/grpc/server.ts";
import { GrpcError, grpcStatusOf } from "../../net/grpc/status.ts";
import { MemoryTransport } from "../../net/h2/memory.ts";
import { document, setUpResiliency } from "../../resiliency/policy.fixture.ts";
import { CallProxy, type CallProxyOptions } from "./call-proxy.ts";

const UNARY = rawMethod("/shop.Orders/Place", "unary");
const COLLECT = rawMethod("/shop.Orders/Collect", "client_streaming");
const text = (value: string): Buffer => Buffer.from(value);

interface SetUp {
  readonly target?: string;
  readonly fromPeer?: boolean;
  readonly isStream?: boolean;
  /** Of the target `stock`: the retries named `again`, the timeout named `soon`. */
  readonly policies?: Pick<Parameters<typeof document>[0], "retries" | "timeouts">;
  readonly options?: Partial<CallProxyOptions>;
}

/** The sidecar of `shop`, whose app and whose peer `stock` are servers of our own. */
async function setUp({ target = "stock", fromPeer = false, isStream = false, policies, options }: SetUp = {}) {
  const transport = new MemoryTransport();
  const servers = { caller: new GrpcServer({ mapError }), app: new GrpcServer(), stock: new GrpcServer() };
  for (const [name, server] of Object.entries(servers)) transport.bind(name, server.accept);
  const leases: string[] = [];
  let address = "stock";
  const events: string[] = [];
  const apps = { stock: { retry: "again", timeout: "soon" } };
  const documents = policies === undefined ? [] : [document({ ...policies, apps })];
  const { resiliency, clock } = await setUpResiliency(...documents);
  const proxy = new CallProxy({
    appId: "shop",
    namespace: "default",
    app: new AppPassage({ connect: () => createGrpcClient(transport, "app"), appToken: "", limit: undefined }),
    peers: new PeerPassage("shop", {
      lease: async ({ appId, namespace }: InvocationTarget) => {
        if (appId !== "stock") throw new Error(`couldn't find service: ${appId}`);
        const at = address;
        leases.push(`${appId}/${namespace}`);
        return {
          client: createGrpcClient(transport, at),
          release: () => void leases.push("released"),
          lost: () => {
            leases.push("lost");
            address = "stock";
          },
        };
      },
    }),
    resiliency,
    metrics: {
      requestSent: (app, type) => void events.push(`sent ${app} ${type}`),
      answerReceived: (app, code, latencyMs, type) =>
        void events.push(`answer ${app} ${code} ${latencyMs === undefined ? "streaming" : (type ?? "unary")}`),
    },
    clock,
    ...options,
  });
  servers.caller.passUnknown((passing) => {
    const call = { passing, headers: ["content-type", "application/grpc"], isStream };
    return fromPeer ? proxy.passLocal(target, call) : proxy.pass(target, call);
  });
  const client = createGrpcClient(transport, "caller");
  return { ...servers, client, leases, events, clock, moveTo: (to: string) => (address = to) };
}

function mapError(error: unknown) {
  return error instanceof ApiError ? { code: error.grpcStatus, message: error.message } : grpcStatusOf(error);
}

describe("a call of this sidecar's API", () => {
  test("for another app goes to its sidecar, with the ids of both", async () => {
    const { stock, client, leases, events } = await setUp({ target: "stock.north" });
    let ids: unknown[] = [];
    stock.add(UNARY, (request, { metadata }) => {
      ids = ["dapr-caller-app-id", "dapr-callee-app-id"].map((name) => metadata.getAll(name));
      return request;
    });
    await client.unary(UNARY, text("x"));
    await turns();
    expect(ids).toEqual([["shop"], ["stock"]]);
    expect(leases).toEqual(["stock/north", "released"]);
    expect(events).toEqual(["sent stock.north unary", "answer stock.north 0 unary"]);
  });

  test("for its own app goes there, with no ids", async () => {
    const { app, client, leases } = await setUp({ target: "shop" });
    app.add(UNARY, (_request, { metadata }) => text(String(metadata.get("dapr-caller-app-id"))));
    expect(Buffer.from((await client.unary(UNARY, text("x"))).response).toString()).toBe("undefined");
    expect(leases).toEqual([]);
  });

  test.each([
    ["nobody", "couldn't find service: nobody"],
    ["a.b.c", "invalid app id a.b.c"],
    ["", "app id is empty"],
  ])("for %j fails with an unknown status and Dapr's text, and is not counted", async (target, message) => {
    const { client, events } = await setUp({ target });
    await expect(client.unary(UNARY, text("x"))).rejects.toMatchObject({ code: GRPC_STATUS.UNKNOWN, message });
    expect(events).toEqual([]);
  });

  test("for its own app, without one, says so", async () => {
    const { client } = await setUp({ target: "shop", options: { app: undefined } });
    await expect(client.unary(UNARY, text("x"))).rejects.toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
  });

  test("with a path that a URL parser would cut is refused for its own app", async () => {
    const { client } = await setUp({ target: "shop" });
    await expect(client.unary(rawMethod("/shop.Orders/a#b", "unary"), text("x"))).rejects.toMatchObject({
      code: GRPC_STATUS.INVALID_ARGUMENT,
      message: 'invalid method: method contains forbidden character: "/shop.Orders/a#b"',
    });
  });

  test("looks once more for a sidecar that cannot be reached", async () => {
    const { stock, client, leases, moveTo } = await setUp();
    stock.add(UNARY, (request) => request);
    moveTo("gone");
    await client.unary(UNARY, text("x"));
    await turns();
    expect(leases).toEqual(["stock/default", "lost", "stock/default", "released"]);
  });

  test("that streams is counted as one, by its failures alone", async () => {
    const { stock, client, events } = await setUp({ isStream: true });
    stock.add(COLLECT, () => Promise.resolve(text("")));
    const collect = client.stream(COLLECT);
    collect.closeSend();
    await allOf(collect.responses);
    expect(events).toEqual(["sent stock streaming"]);
  });
});

describe("under the user's policy a call", () => {
  const policies = { retries: { again: { policy: "constant", duration: "1s", maxRetries: 3 } } };

  test("is repeated until it succeeds, and each attempt is counted", async () => {
    const { stock, client, clock, events } = await setUp({ policies });
    let attempts = 0;
    stock.add(UNARY, (request) => {
      attempts += 1;
      if (attempts < 3) throw new GrpcError(GRPC_STATUS.UNAVAILABLE, "later");
      return request;
    });
    const call = client.unary(UNARY, text("x"));
    for (let second = 0; second < 2; second += 1) {
      await turns();
      clock.advance(1_000);
    }
    await call;
    await turns();
    expect(attempts).toBe(3);
    expect(events.filter((event) => event.startsWith("answer"))).toEqual([
      "answer stock 14 unary",
      "answer stock 14 unary",
      "answer stock 0 unary",
    ]);
  });

  test("gives the last failure whole when no attempt is left", async () => {
    const matching = { again: { ...policies.retries.again, matching: { gRPCStatusCodes: "1" } } };
    const { stock, client } = await setUp({ policies: { retries: matching } });
    stock.add(UNARY, (_request, { responseTrailers }) => {
      responseTrailers.set("x-trail", "t");
      throw new GrpcError(20 as never, "odd", { detailsBin: new Uint8Array([1]) });
    });
    const failure = await client.unary(UNARY, text("x")).catch((error: unknown) => error as GrpcError);
    expect(failure).toMatchObject({ message: "odd", detailsBin: new Uint8Array([1]) });
    expect((failure as GrpcError).metadata?.get("x-trail")).toBe("t");
    expect((failure as GrpcError).metadata?.getAll("x-trail")).toHaveLength(1);
  });

  test("may not send a second message, since it cannot be repeated then", async () => {
    const { stock, client } = await setUp({ policies });
    stock.add(COLLECT, async (requests) => {
      await allOf(requests);
      return text("");
    });
    const collect = client.stream(COLLECT);
    await collect.send(text("a"));
    await collect.send(text("b"));
    await expect(allOf(collect.responses)).rejects.toMatchObject({
      code: GRPC_STATUS.FAILED_PRECONDITION,
      message: "cannot use resiliency policies with retries on streaming RPCs",
    });
  });

  test("may stream when it says so, and is sent once", async () => {
    const { stock, client } = await setUp({ policies, isStream: true });
    let attempts = 0;
    stock.add(COLLECT, () => {
      attempts += 1;
      return Promise.reject(new GrpcError(GRPC_STATUS.UNAVAILABLE, "no"));
    });
    const collect = client.stream(COLLECT);
    await collect.send(text("a"));
    await collect.send(text("b"));
    collect.closeSend();
    await expect(allOf(collect.responses)).rejects.toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
    expect(attempts).toBe(1);
  });

  test("that takes too long ends as its deadline would", async () => {
    const { stock, client, clock } = await setUp({ policies: { timeouts: { soon: "2s" } } });
    stock.add(UNARY, () => new Promise<Uint8Array>(() => undefined));
    const call = client.unary(UNARY, text("x"));
    await turns();
    clock.advance(2_000);
    await expect(call).rejects.toMatchObject({
      code: GRPC_STATUS.DEADLINE_EXCEEDED,
      message: "context deadline exceeded",
    });
  });

  test("is not repeated once its caller has the beginning of an answer", async () => {
    const { stock, client } = await setUp({ policies });
    let attempts = 0;
    const chat = rawMethod("/shop.Orders/Chat", "bidi_streaming");
    stock.add(chat, async function* () {
      attempts += 1;
      yield text("one");
      throw new GrpcError(GRPC_STATUS.UNAVAILABLE, "gone");
    });
    const stream = client.stream(chat);
    const answers = stream.responses[Symbol.asyncIterator]();
    await answers.next();
    await expect(answers.next()).rejects.toMatchObject({ message: "gone" });
    await turns();
    expect(attempts).toBe(1);
  });
});

describe("a call of another sidecar", () => {
  test.each(["shop", "shop.anywhere"])("for %s goes to the app", async (target) => {
    const { app, client } = await setUp({ target, fromPeer: true });
    app.add(UNARY, (request) => request);
    await client.unary(UNARY, text("x"));
  });

  test("for another app is refused: this sidecar passes nothing on under its own name", async () => {
    const { client } = await setUp({ target: "stock", fromPeer: true });
    await expect(client.unary(UNARY, text("x"))).rejects.toMatchObject({
      code: GRPC_STATUS.UNAVAILABLE,
      message: "failed to proxy request: it is for the app stock, and this is the sidecar of shop",
    });
  });
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function allOf(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const one of messages) all.push(one);
  return all;
}
