import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLAG, FRAME, SETTING } from "../../src/net/h2/protocol/frames.ts";
import { STREAMS_MAX } from "../../src/net/h2/limits.ts";
import { H2_ERROR } from "../../src/net/h2/transport.ts";
import { frame, numberFrame, requestFields, settings, times } from "../harness/h2-frames.ts";
import type { RawPeer } from "../harness/h2-raw-peer.ts";
import { attack } from "./attack.ts";
import { Victim } from "./victim.ts";

let victim: Victim;
beforeAll(async () => {
  victim = Victim.start();
  await victim.serve();
});
afterAll(async () => await victim.stop());

const FRAMES_A_ROUND = 1_000;
const ENDED = FLAG.endHeaders | FLAG.endStream;
const UNKNOWN_FRAME = 0xbe;
const padded = Buffer.concat([Buffer.from([200]), Buffer.alloc(200)]);

/** One stream whose body is still to come, and one whose answer waits for room. */
function twoStreams(peer: RawPeer): void {
  peer.send(
    settings([SETTING.initialWindowSize, 0]),
    frame(FRAME.headers, FLAG.endHeaders, 1, requestFields("/silent")),
    frame(FRAME.headers, ENDED, 3, requestFields("/large/1000000")),
  );
}

describe("frames that do no work", () => {
  test.each([
    { name: "SETTINGS", one: settings() },
    { name: "SETTINGS with entries", one: settings(...Array.from({ length: 32 }, () => [0xff, 1] as const)) },
    { name: "SETTINGS that change the HPACK table", one: settings([1, 0], [1, 4096], [1, 100]) },
    { name: "acknowledgements of SETTINGS", one: frame(FRAME.settings, FLAG.ack, 0) },
    { name: "PING", one: frame(FRAME.ping, 0, 0, Buffer.alloc(8)) },
    { name: "answers to no PING", one: frame(FRAME.ping, FLAG.ack, 0, Buffer.alloc(8)) },
    { name: "PRIORITY", one: frame(FRAME.priority, 0, 1, Buffer.alloc(5)) },
    { name: "PRIORITY on streams that are not open", one: frame(FRAME.priority, 0, 99, Buffer.alloc(5)) },
    { name: "empty DATA (CVE-2019-9518)", one: frame(FRAME.data, 0, 1) },
    { name: "DATA of nothing but padding", one: frame(FRAME.data, FLAG.padded, 1, padded) },
    { name: "WINDOW_UPDATE of the connection", one: numberFrame(FRAME.windowUpdate, 0, 1) },
    { name: "WINDOW_UPDATE by a byte, each of which lets a byte go out", one: numberFrame(FRAME.windowUpdate, 3, 1) },
    { name: "WINDOW_UPDATE of a stream with nothing to send", one: numberFrame(FRAME.windowUpdate, 1, 1) },
    { name: "unknown frames", one: frame(UNKNOWN_FRAME, 0, 0) },
    { name: "large unknown frames", one: frame(UNKNOWN_FRAME, 0, 0, Buffer.alloc(1_000)) },
    { name: "GOAWAY", one: frame(FRAME.goaway, 0, 0, Buffer.alloc(8)) },
  ])("$name", async ({ one }) => {
    const round = times(FRAMES_A_ROUND, one);
    const { cutOff } = await attack(victim, {
      prepare: twoStreams,
      run: async (peer) => await peer.flood(() => round),
    });
    expect(cutOff.kind).toBe("control_flood");
  });

  test("SETTINGS that change the windows of all streams", async () => {
    const streams = Array.from({ length: STREAMS_MAX }, (_, i) =>
      frame(FRAME.headers, ENDED, i * 2 + 1, requestFields("/large/20000")),
    );
    const { cutOff } = await attack(victim, {
      prepare: (peer) => peer.send(settings([SETTING.initialWindowSize, 0]), ...streams),
      run: async (peer) =>
        await peer.flood((round) =>
          Buffer.concat(
            Array.from({ length: 100 }, (_, i) => settings([SETTING.initialWindowSize, round * 100 + i + 1])),
          ),
        ),
    });
    expect(cutOff.kind).toBe("control_flood");
  });

  test("a frame of more SETTINGS than there can be", async () => {
    const { cutOff } = await attack(victim, {
      run: (peer) => peer.send(settings(...Array.from({ length: 2_000 }, () => [0xff, 1] as const))),
    });
    expect(cutOff.kind).toBe("control_flood");
  });

  test.each([
    { name: "DATA on an idle stream", one: frame(FRAME.data, 0, 77, Buffer.from("x")) },
    { name: "a push promise", one: frame(FRAME.pushPromise, FLAG.endHeaders, 1, Buffer.alloc(4)) },
    { name: "a stream of the server's own", one: frame(FRAME.headers, ENDED, 2, requestFields("/")) },
  ])("$name", async ({ one }) => {
    const { cutOff } = await attack(victim, { run: (peer) => peer.send(one) });
    expect(cutOff.kind).toBe("protocol_error");
  });

  test("frames larger than were offered", async () => {
    const { cutOff, ending } = await attack(victim, {
      run: (peer) => peer.send(frame(UNKNOWN_FRAME, 0, 0, Buffer.alloc(16_385))),
    });
    expect(cutOff.kind).toBe("frame_size_error");
    expect(ending.text).toContain("16385");
  });

  test("DATA on a stream that the client itself has reset", async () => {
    const { cutOff } = await attack(victim, {
      prepare: (peer) => {
        peer.send(frame(FRAME.headers, FLAG.endHeaders, 1, requestFields("/silent")));
        peer.send(numberFrame(FRAME.rstStream, 1, H2_ERROR.cancel));
      },
      run: async (peer) => await peer.flood(() => frame(FRAME.data, 0, 1, Buffer.alloc(16_384))),
    });
    expect(cutOff.kind).toBe("control_flood");
  });
});
