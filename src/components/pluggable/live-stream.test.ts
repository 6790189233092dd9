import { beforeEach, describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { rawMethod } from "../../net/grpc/server.ts";
import { HeaderMetadata } from "../../net/grpc/metadata.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { ClientStream, Metadata } from "../../net/grpc/types.ts";
import { PullQueue } from "../../net/pull-queue.ts";
import { RETRY_WAIT_MS, STREAM_END_MS_MAX } from "./limits.ts";
import { LiveStream } from "./live-stream.ts";

/** The component's end of a stream, worked by hand. */
class FakeStream implements ClientStream<string, string> {
  readonly sent: string[] = [];
  readonly responses = new PullQueue<string>({ onRoom: () => undefined, onAbandoned: () => undefined }, 1_000);
  readonly headers: Promise<Metadata>;
  readonly trailers = Promise.resolve(new HeaderMetadata());
  over = false;
  ending = "";

  constructor(isTaken: boolean) {
    const refused = new GrpcError(GRPC_STATUS.UNIMPLEMENTED, "no such method");
    this.headers = isTaken ? Promise.resolve(new HeaderMetadata()) : Promise.reject(refused);
  }

  send(message: string): Promise<void> | undefined {
    if (!this.responses.open) {
      return Promise.reject(new GrpcError(GRPC_STATUS.CANCELLED, "the call has ended"));
    }
    this.sent.push(message);
    return undefined;
  }

  closeSend(): void {
    this.ending ||= "half-closed";
  }

  cancel(): void {
    this.ending ||= "cancelled";
    this.responses.fail(new GrpcError(GRPC_STATUS.CANCELLED, "context canceled"));
  }

  give(message: string): void {
    this.responses.push(message, 1);
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: VirtualClock;
let streams: FakeStream[];
let errors: string[];
let troubles: (string | undefined)[];
let unsettled: string[];
/** Whether the component answers a new stream with its head. */
let streamsAreTaken: boolean;
beforeEach(() => {
  clock = new VirtualClock();
  streams = [];
  errors = [];
  troubles = [];
  unsettled = [];
  streamsAreTaken = true;
});

function open(handle: (message: string) => Promise<string | undefined>, parallel = 1): LiveStream<string, string> {
  return new LiveStream({
    connection: {
      stream: () => {
        const stream = new FakeStream(streamsAreTaken);
        streams.push(stream);
        return Promise.resolve(stream as never);
      },
      roundTrip: () => Promise.resolve(),
      trouble: (_what, reason) => void troubles.push(reason),
    },
    deps: { clock, logger: { ...silentLogger, error: (text) => void errors.push(text) } },
    method: rawMethod("/a/b", "bidi_streaming") as never,
    opening: "open",
    what: "topic a",
    failureText: "Failed to receive pubsub message",
    parallel,
    handle,
    onUnsettled: (message) => void unsettled.push(message),
  });
}

/** Closes a stream whose component does not end it. */
async function closeDeaf(live: LiveStream<string, string>): Promise<void> {
  const closed = live.close();
  await settle();
  // Once for what the component still hands out, once for the end of the stream.
  clock.advance(STREAM_END_MS_MAX);
  await settle();
  clock.advance(STREAM_END_MS_MAX);
  await closed;
}

/** Handlers that end when the test says so. */
function heldHandler() {
  const held = new Map<string, (answer: string | undefined) => void>();
  return {
    held,
    handle: (message: string) => new Promise<string | undefined>((resolve) => held.set(message, resolve)),
  };
}

describe("reading", () => {
  it("opens with its first message, and answers on the stream that a message came on", async () => {
    const live = open((message) => Promise.resolve(`ok ${message}`));
    await live.start();
    streams[0]?.give("1");
    await settle();
    expect(streams.map(({ sent }) => sent)).toEqual([["open", "ok 1"]]);
    expect(troubles).toContain(undefined);
    await closeDeaf(live);
  });

  it("takes the next message when the one before is settled", async () => {
    const { held, handle } = heldHandler();
    const live = open(handle);
    await live.start();
    streams[0]?.give("1");
    streams[0]?.give("2");
    await settle();
    expect([...held.keys()]).toEqual(["1"]);
    held.get("1")?.("ok 1");
    await settle();
    expect([...held.keys()]).toEqual(["1", "2"]);
    held.get("2")?.(undefined);
    await settle();
    expect(streams[0]?.sent).toEqual(["open", "ok 1"]);
    await closeDeaf(live);
  });

  it("takes as many at once as it may", async () => {
    const { held, handle } = heldHandler();
    const live = open(handle, 2);
    await live.start();
    for (const message of ["1", "2", "3"]) streams[0]?.give(message);
    await settle();
    expect([...held.keys()]).toEqual(["1", "2"]);
    held.get("2")?.("ok 2");
    await settle();
    expect([...held.keys()]).toEqual(["1", "2", "3"]);
    held.get("1")?.("ok 1");
    held.get("3")?.("ok 3");
    await closeDeaf(live);
    expect(streams[0]?.sent).toEqual(["open", "ok 2", "ok 1", "ok 3"]);
  });
});

describe("a stream that ends", () => {
  it("is opened again after a wait that grows, and is a trouble meanwhile", async () => {
    const live = open((message) => Promise.resolve(`ok ${message}`));
    await live.start();
    streams[0]?.responses.end();
    await settle();
    expect(troubles.at(-1)).toBe("topic a: the component has ended the stream");
    streamsAreTaken = false;
    clock.advance(RETRY_WAIT_MS);
    await settle();
    expect(streams).toHaveLength(2);
    streams[1]?.responses.fail(new GrpcError(GRPC_STATUS.INTERNAL, "broken"));
    await settle();
    expect(troubles.at(-1)).toBe("topic a: rpc error: code = Internal desc = broken");
    clock.advance(RETRY_WAIT_MS);
    await settle();
    expect(streams).toHaveLength(2);
    clock.advance(RETRY_WAIT_MS);
    await settle();
    expect(streams).toHaveLength(3);
    expect(errors).toEqual([
      "Failed to receive pubsub message: the component has ended the stream; the stream of topic a is opened again in 100 ms",
    ]);
    streams[2]?.give("1");
    await settle();
    expect(streams[2]?.sent).toEqual(["open", "ok 1"]);
    await closeDeaf(live);
    expect(clock.pendingTimers).toBe(0);
  });

  it("takes the answers to its messages with it", async () => {
    const { held, handle } = heldHandler();
    const live = open(handle);
    await live.start();
    streams[0]?.give("1");
    await settle();
    streams[0]?.responses.end();
    held.get("1")?.("ok 1");
    await settle();
    expect(unsettled).toEqual(["1"]);
    await closeDeaf(live);
  });
});

describe("closing", () => {
  it("cuts an idle stream off at once", async () => {
    const live = open(() => Promise.resolve(undefined));
    await live.start();
    await live.close();
    await live.close();
    expect(streams[0]?.ending).toBe("cancelled");
    expect(clock.pendingTimers).toBe(0);
  });

  it("waits for what is in hand, leaves what comes then alone, and lets the component end the stream", async () => {
    const { held, handle } = heldHandler();
    const live = open(handle);
    await live.start();
    streams[0]?.give("1");
    await settle();
    const closed = live.close();
    streams[0]?.give("2");
    held.get("1")?.("ok 1");
    await settle();
    expect([...held.keys()]).toEqual(["1"]);
    expect(streams[0]?.sent).toEqual(["open", "ok 1"]);
    expect(streams[0]?.ending).toBe("");
    streams[0]?.give("3");
    clock.advance(STREAM_END_MS_MAX);
    await settle();
    expect([...held.keys()]).toEqual(["1"]);
    expect(streams[0]?.ending).toBe("half-closed");
    streams[0]?.responses.end();
    await closed;
  });

  it("does not wait long for a component that does not end it", async () => {
    const live = open((message) => Promise.resolve(`ok ${message}`));
    await live.start();
    streams[0]?.give("1");
    await settle();
    const closed = live.close();
    await settle();
    expect(streams[0]?.ending).toBe("half-closed");
    clock.advance(STREAM_END_MS_MAX);
    await closed;
    expect(streams[0]?.responses.open).toBe(false);
  });
});
