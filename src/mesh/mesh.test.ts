import { expect, test } from "vitest";
import { collectBody } from "../app/body.ts";
import type { InvokeCall } from "../app/types.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { GRPC_STATUS, type GrpcStatusCode } from "../errors/grpc-status.ts";
import { systemRandom } from "../kit/random.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { ClientStream, GrpcClient } from "../net/grpc/types.ts";
import { createResiliency } from "../resiliency/resiliency.ts";
import { Mesh } from "./mesh.ts";

const target = { appId: "callee", namespace: "ns" };

function call(body: InvokeCall["body"] = Buffer.from("x")): InvokeCall {
  return { method: "m", verb: "GET", query: "", headers: [], origin: "http", contentType: "", body };
}

/** A peer that fails each attempt with the next of the codes, and answers after them. */
async function setUp(
  codes: readonly GrpcStatusCode[],
  addresses: readonly string[] = ["a:1"],
  answerEnd: Promise<void> = Promise.resolve(),
  hasAppPolicy = false,
) {
  const clock = new VirtualClock();
  const ports = { clock, random: systemRandom, logger: silentLogger };
  const builtIns = await createResiliency({ ...ports, documents: [] });
  const counted: string[] = [];
  const attempts: number[] = [];
  const forgotten: string[] = [];
  const asked: string[] = [];
  const resolver: NameResolver = {
    init: () => Promise.resolve(),
    close: () => Promise.resolve(),
    announce: () => Promise.resolve(),
    resolve: () => {
      const address = addresses[Math.min(asked.length, addresses.length - 1)] ?? "";
      asked.push(address);
      return Promise.resolve(address);
    },
    forget: (_request, address) => void forgotten.push(address),
  };
  const connect = (): GrpcClient =>
    ({
      close: () => Promise.resolve(),
      stream: () => {
        const code = codes[attempts.length];
        attempts.push(clock.now());
        return streamOf(code, answerEnd);
      },
    }) as unknown as GrpcClient;
  const mesh = new Mesh({
    pieceBytes: 64 * 1024,
    appId: "me",
    namespace: "ns",
    hostAddress: "::1",
    hostName: "h",
    resolver: () => resolver,
    connect,
    ...ports,
    resiliency: {
      builtIn: (name) => builtIns.builtIn(name),
      hasAppPolicy: () => hasAppPolicy,
    },
    metrics: {
      requestSent: (destination) => void counted.push(`to ${destination}`),
      answerReceived: (source, status) => void counted.push(`${status} from ${source}`),
    },
  });
  return { clock, mesh, attempts, forgotten, asked, counted };
}

function streamOf(code: GrpcStatusCode | undefined, answerEnd: Promise<void>): ClientStream<unknown, unknown> {
  async function* responses(): AsyncGenerator<unknown> {
    await Promise.resolve();
    if (code !== undefined) {
      throw new GrpcError(code, "down");
    }
    yield {
      head: {
        status: { code: 200, message: "" },
        headers: [],
        trailers: [],
        contentType: "",
        typeUrl: "",
        hasMessage: true,
      },
      payload: Buffer.from("yo"),
      seq: 0,
    };
    await answerEnd;
  }
  return {
    send: () => undefined,
    closeSend: () => undefined,
    cancel: () => undefined,
    responses: responses(),
    headers: Promise.reject(new Error()).catch(() => undefined),
    trailers: Promise.resolve(),
  } as unknown as ClientStream<unknown, unknown>;
}

async function settled<T>(promise: Promise<T>, clock: VirtualClock): Promise<T> {
  let over = false;
  void promise.then(
    () => (over = true),
    () => (over = true),
  );
  for (let turn = 0; turn < 200 && !over; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(100);
  }
  return await promise;
}

test("a lost connection or refused identity is tried again a second later, elsewhere if need be", async () => {
  const { mesh, clock, attempts, forgotten } = await setUp(
    [GRPC_STATUS.UNAVAILABLE, GRPC_STATUS.UNAUTHENTICATED],
    ["a:1", "b:1", "c:1"],
  );
  const startMs = clock.now();
  expect((await settled(mesh.invoke(target, call()), clock)).status).toEqual({ kind: "http", code: 200 });
  expect(forgotten).toEqual(["a:1", "b:1"]);
  expect(attempts).toHaveLength(3);
  expect((attempts[2] ?? 0) - startMs).toBeGreaterThanOrEqual(2_000);
});

test("after three retries the last reason is told in Dapr's words", async () => {
  const { mesh, clock, attempts } = await setUp(Array.from({ length: 9 }, () => GRPC_STATUS.UNAVAILABLE));
  await expect(settled(mesh.invoke(target, call()), clock)).rejects.toThrow(
    "failed to invoke target callee after 3 retries. Error: rpc error: code = Unavailable desc = down",
  );
  expect(attempts).toHaveLength(4);
});

test("other failures and streamed bodies are not tried again", async () => {
  const internal = await setUp([GRPC_STATUS.INTERNAL]);
  await expect(settled(internal.mesh.invoke(target, call()), internal.clock)).rejects.toMatchObject({
    code: GRPC_STATUS.INTERNAL,
  });
  expect(internal.attempts).toHaveLength(1);
  const streamed = await setUp([GRPC_STATUS.UNAVAILABLE]);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
  }
  await expect(settled(streamed.mesh.invoke(target, call(body())), streamed.clock)).rejects.toMatchObject({
    code: GRPC_STATUS.UNAVAILABLE,
    message: "down",
  });
  expect(streamed.attempts).toHaveLength(1);
});

test("a target of the user's for the app takes the place of the built-in retries", async () => {
  const { mesh, clock, attempts } = await setUp([GRPC_STATUS.UNAVAILABLE], ["a:1"], Promise.resolve(), true);
  await expect(settled(mesh.invoke(target, call()), clock)).rejects.toMatchObject({ message: "down" });
  expect(attempts).toHaveLength(1);
});

test("every attempt counts as sent, every answer as received", async () => {
  const { mesh, clock, counted } = await setUp([GRPC_STATUS.UNAVAILABLE]);
  await settled(mesh.invoke(target, call()), clock);
  expect(counted).toEqual(["to callee", "to callee", "200 from callee"]);
});

test("a resolver that answers with nothing is asked five times more", async () => {
  const late = await setUp([], ["", "", "a:1"]);
  await settled(late.mesh.invoke(target, call()), late.clock);
  expect(late.asked).toEqual(["", "", "a:1"]);
  const never = await setUp([], [""]);
  await expect(settled(never.mesh.invoke(target, call()), never.clock)).rejects.toThrow(
    "resolver returned empty address for app id ns/callee",
  );
  expect(never.asked).toHaveLength(6);
});

test("an answer whose end follows at once is whole, one that goes on is a stream", async () => {
  const whole = await setUp([]);
  expect((await whole.mesh.invoke(target, call())).body).toEqual(Buffer.from("yo"));
  let end: (() => void) | undefined;
  const open = await setUp([], ["a:1"], new Promise((resolve) => (end = resolve)));
  const { body } = await settled(open.mesh.invoke(target, call()), open.clock);
  expect(body).not.toBeInstanceOf(Uint8Array);
  end?.();
  expect(await collectBody(body, 0)).toEqual(Buffer.from("yo"));
});
