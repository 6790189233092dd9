import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { frame, literal, numberFrame, requestFields, settings } from "../../../test/harness/h2-frames.ts";
import { answerHonestly, RawPeer, type ReceivedFrame } from "../../../test/harness/h2-raw-peer.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { FLAG, FRAME, PREFACE } from "../h2/protocol/frames.ts";
import { createH2Transport } from "../h2/protocol/transport.ts";
import { H2_ERROR } from "../h2/transport.ts";
import { createGrpcClient } from "./client.ts";
import { REPLAY_BYTES_MAX } from "./limits.ts";
import { GrpcServer, rawMethod } from "./server.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const UNARY = rawMethod("/test.Wire/Ask", "unary");
const CHAT = rawMethod("/test.Wire/Chat", "bidi_streaming");
const GRPC_HEAD = Buffer.concat([Buffer.from([0x88]), literal("content-type", "application/grpc")]);

async function listenTo(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** A client of a server that is written by hand, and that server's end of each of its connections. */
async function clientOfRaw() {
  const connections: PromiseWithResolvers<RawPeer>[] = [Promise.withResolvers(), Promise.withResolvers()];
  let next = 0;
  const port = await listenTo(
    createServer((socket) => {
      const peer = new RawPeer(socket, PREFACE.length);
      answerHonestly(peer);
      peer.send(settings());
      cleanups.push(() => peer.close());
      connections[next]?.resolve(peer);
      next += 1;
    }),
  );
  const client = createGrpcClient(createH2Transport(), `127.0.0.1:${port}`);
  cleanups.push(() => client.close());
  return { client, peers: connections.map(({ promise }) => promise) };
}

function isHead({ type, id }: ReceivedFrame): boolean {
  return type === FRAME.headers && id === 1;
}

function goaway(lastId: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastId);
  return frame(FRAME.goaway, 0, 0, payload);
}

function message(text: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text)]);
}

test("a call that ends before its request is told so behind its trailers", async () => {
  const server = new GrpcServer();
  server.add(CHAT, async function* (requests) {
    for await (const request of requests) {
      yield request;
      return;
    }
  });
  const h2 = createH2Transport().createServer(server.accept);
  const port = await listenTo(createServer((socket) => h2.accept(socket)));
  cleanups.push(() => h2.close(0));
  const peer = await RawPeer.connect(port);
  const head = Buffer.concat([requestFields(CHAT.path), literal("content-type", "application/grpc")]);
  peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, head), frame(FRAME.data, 0, 1, message("hello")));
  const reset = await peer.frame(({ type }) => type === FRAME.rstStream);
  expect(reset.payload.readUInt32BE()).toBe(H2_ERROR.noError);
  const before = peer.frames[peer.frames.indexOf(reset) - 1];
  expect(before).toMatchObject({ type: FRAME.headers, flags: FLAG.endHeaders | FLAG.endStream });
});

test("a stream that a draining server never looked at begins again on another connection", async () => {
  const { client, peers } = await clientOfRaw();
  const call = client.stream(CHAT);
  await call.send(Buffer.from("one"));
  await call.send(Buffer.from("two"));
  const first = (await peers[0]) as RawPeer;
  await first.frame(isHead);
  first.send(goaway(0));
  const second = (await peers[1]) as RawPeer;
  await second.frame(isHead);
  await call.send(Buffer.from("three"));
  call.closeSend();
  let sent = "";
  second.onFrame = ({ type, payload }) => {
    if (type === FRAME.data) sent += payload.toString();
  };
  second.send(
    frame(FRAME.headers, FLAG.endHeaders, 1, GRPC_HEAD),
    frame(FRAME.data, 0, 1, message("reply")),
    frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, literal("grpc-status", "0")),
  );
  const replies: string[] = [];
  for await (const reply of call.responses) replies.push(Buffer.from(reply).toString());
  expect(replies).toEqual(["reply"]);
  expect(second.dataBytes).toBeGreaterThanOrEqual(message("one").length + message("two").length);
  expect(sent).not.toContain("one");
});

test("not if more was sent than is kept, and not twice", async () => {
  const { client, peers } = await clientOfRaw();
  const large = client.stream(CHAT);
  for (let i = 0; i < 5; i += 1) void large.send(Buffer.alloc(REPLAY_BYTES_MAX / 4))?.catch(() => undefined);
  const unary = client.unary(UNARY, Buffer.from("one"));
  const outcome = unary.catch((error: unknown) => error);
  const first = (await peers[0]) as RawPeer;
  await first.frame(({ type, id }) => type === FRAME.headers && id === 3);
  first.send(goaway(0));
  await expect(large.responses[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
  const second = (await peers[1]) as RawPeer;
  await second.frame(isHead);
  second.send(goaway(0));
  expect(await outcome).toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
});

test("a server that cancels when the time is over, a little before our own timer, does not make it a cancellation", async () => {
  const { client, peers } = await clientOfRaw();
  const outcome = client.unary(UNARY, Buffer.from("one"), { timeoutMs: 1_000 }).catch((error: unknown) => error);
  const began = performance.now();
  const peer = (await peers[0]) as RawPeer;
  await peer.frame(isHead);
  await new Promise((resolve) => setTimeout(resolve, began + 900 - performance.now()));
  // Our own timer does not get its turn.
  while (performance.now() < began + 1_000);
  peer.send(numberFrame(FRAME.rstStream, 1, H2_ERROR.cancel));
  expect(await outcome).toMatchObject({ code: GRPC_STATUS.DEADLINE_EXCEEDED });
});
