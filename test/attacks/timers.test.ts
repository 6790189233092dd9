import { connect } from "node:net";
import { createServer as createTlsServer, connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../../src/net/http/self-signed.fixture.ts";
import { listen } from "../../src/net/http/listener.ts";
import { FLAG, FRAME, PREFACE, SETTING } from "../../src/net/h2/protocol/frames.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import type { CutOff } from "../../src/net/h2/transport.ts";
import { frame, literal, numberFrame, requestFields, settings } from "../harness/h2-frames.ts";
import { answerHonestly, RawPeer } from "../harness/h2-raw-peer.ts";
import { attack } from "./attack.ts";
import { Victim } from "./victim.ts";

/** Every timer of the victim. */
const TIMER_MS = 400;
/** A timer cuts off within a second of its time. */
const WITHIN_MS = TIMER_MS + 1_000;
const ENDED = FLAG.endHeaders | FLAG.endStream;
const WINDOW_MAX = 2 ** 31 - 1;

let victim: Victim;
beforeAll(async () => {
  victim = Victim.start();
  await victim.serve({
    handshakeTimeoutMs: TIMER_MS,
    frameTimeoutMs: TIMER_MS,
    stallTimeoutMs: TIMER_MS,
    slowReaderTimeoutMs: TIMER_MS,
    sendQueueBytesMax: 1024 * 1024,
    keepaliveMs: TIMER_MS / 2,
    keepaliveTimeoutMs: TIMER_MS / 2,
  });
});
afterAll(async () => await victim.stop());

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Requests for answers of a length, on so many streams. */
function requests(count: number, bytes: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => frame(FRAME.headers, ENDED, i * 2 + 1, requestFields(`/large/${bytes}`))),
  );
}

describe("a slow handshake", () => {
  const preface = Buffer.from(PREFACE, "latin1");

  test.each([
    { name: "nothing at all", hello: Buffer.alloc(0) },
    { name: "half of the preface", hello: preface.subarray(0, 12) },
    { name: "a preface without SETTINGS", hello: preface },
    { name: "a preface with half of the SETTINGS", hello: Buffer.concat([preface, settings().subarray(0, 5)]) },
  ])("$name", async ({ hello }) => {
    const { cutOff } = await attack(victim, { hello, run: () => undefined, withinMs: WITHIN_MS });
    expect(cutOff.kind).toBe("handshake_timeout");
  });

  test("a byte now and then", async () => {
    const slowly = Buffer.concat([preface, settings()]);
    const { cutOff } = await attack(victim, {
      hello: slowly.subarray(0, 1),
      run: async (peer) => {
        for (let at = 1; at < slowly.length && !peer.over; at += 1) {
          peer.send(slowly.subarray(at, at + 1));
          await new Promise((resolve) => setTimeout(resolve, TIMER_MS / 8));
        }
      },
      withinMs: WITHIN_MS,
    });
    expect(cutOff.kind).toBe("handshake_timeout");
  });

  test("TLS: a connection without a byte, and one that says nothing once it is secure", async () => {
    const cutOffs: CutOff[] = [];
    const transport = createH2Transport();
    const secure = createTlsServer({
      cert: SELF_SIGNED_CERT,
      key: SELF_SIGNED_KEY,
      ALPNProtocols: ["h2"],
      handshakeTimeout: TIMER_MS,
    });
    const h2 = transport.createServer(() => ({ onData() {}, onEnd() {}, onClose() {} }), {
      handshakeTimeoutMs: TIMER_MS,
      onCutOff: (cutOff) => void cutOffs.push(cutOff),
    });
    const listener = await listen({ port: 0 }, { h2, secure });
    cleanups.push(async () => await listener.close(0));
    const silent = new RawPeer(connect(listener.port, "127.0.0.1"));
    const idle = new RawPeer(
      connectTls({ port: listener.port, host: "127.0.0.1", ALPNProtocols: ["h2"], rejectUnauthorized: false }),
    );
    const endings = await Promise.all([silent.ended, idle.ended]);
    for (const { afterMs } of endings) expect(afterMs).toBeLessThan(WITHIN_MS);
    expect(cutOffs.map(({ kind }) => kind)).toEqual(["handshake_timeout"]);
  });
});

describe("what is begun and not finished", () => {
  const head = frame(FRAME.headers, FLAG.endHeaders, 1, requestFields("/silent"));

  test.each([
    { name: "a frame's header", bytes: head.subarray(0, 5) },
    { name: "a frame", bytes: head.subarray(0, 20) },
    { name: "a header block", bytes: frame(FRAME.headers, 0, 1, literal("a", "b")) },
  ])("$name", async ({ bytes }) => {
    const { cutOff } = await attack(victim, { run: (peer) => peer.send(bytes), withinMs: WITHIN_MS });
    expect(cutOff.kind).toBe("frame_timeout");
  });

  test("a header block that grows by a byte now and then", async () => {
    const { cutOff } = await attack(victim, {
      run: async (peer) => {
        peer.send(frame(FRAME.headers, 0, 1));
        while (!peer.over) {
          peer.send(frame(FRAME.continuation, 0, 1, Buffer.from([0x82])));
          await new Promise((resolve) => setTimeout(resolve, TIMER_MS / 8));
        }
      },
      withinMs: WITHIN_MS,
    });
    expect(cutOff.kind).toBe("frame_timeout");
  });
});

describe("a peer that does not take its answers", () => {
  test("no window at all", async () => {
    const { cutOff } = await attack(victim, {
      prepare: (peer) => {
        answerHonestly(peer);
        peer.send(settings([SETTING.initialWindowSize, 0]));
      },
      run: (peer) => peer.send(requests(50, 1_000_000)),
      withinMs: WITHIN_MS,
    });
    expect(cutOff.kind).toBe("slow_reader");
  });

  test("windows that let a few bytes go out, again and again", async () => {
    const { cutOff } = await attack(victim, {
      prepare: (peer) => {
        answerHonestly(peer);
        peer.send(settings([SETTING.initialWindowSize, 1]));
      },
      run: async (peer) => {
        peer.send(requests(50, 1_000_000));
        for (let id = 1; !peer.over; id = (id + 2) % 100) {
          peer.send(numberFrame(FRAME.windowUpdate, id, 10));
          await new Promise((resolve) => setTimeout(resolve, TIMER_MS / 16));
        }
      },
      withinMs: WITHIN_MS,
    });
    expect(cutOff.kind).toBe("slow_reader");
    expect(cutOff.reason).toContain("too little room");
  });

  test("windows without end on a connection that is not read", async () => {
    const { cutOff } = await attack(victim, {
      prepare: (peer) => {
        peer.send(
          settings([SETTING.initialWindowSize, WINDOW_MAX - 1_000]),
          numberFrame(FRAME.windowUpdate, 0, WINDOW_MAX - 70_000),
        );
      },
      run: async (peer) => {
        peer.socket.pause();
        peer.send(requests(50, 1_000_000));
        // Who does not read notices only by writing that the connection is broken.
        while (!peer.over) {
          peer.send(numberFrame(FRAME.windowUpdate, 1, 1));
          await new Promise((resolve) => setTimeout(resolve, TIMER_MS / 16));
        }
      },
      withinMs: WITHIN_MS,
    });
    expect(cutOff.kind).toBe("slow_reader");
  });

  test("answers that are heads alone, which no window holds back", async () => {
    const head = requestFields("/head");
    const { cutOff } = await attack(victim, {
      run: async (peer) => {
        peer.socket.pause();
        await peer.flood((round) =>
          Buffer.concat(
            Array.from({ length: 200 }, (_, i) => frame(FRAME.headers, ENDED, (round * 200 + i) * 2 + 1, head)),
          ),
        );
      },
    });
    expect(cutOff.kind).toBe("output_backlog");
  });
});

test("a peer that vanishes with a stream open", async () => {
  const { cutOff } = await attack(victim, {
    run: (peer) => peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, requestFields("/silent"))),
    withinMs: WITHIN_MS,
  });
  expect(cutOff.kind).toBe("keepalive_timeout");
});
