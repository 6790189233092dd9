import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLAG, FRAME } from "../../src/net/h2/protocol/frames.ts";
import { H2_ERROR } from "../../src/net/h2/transport.ts";
import { frame, literal, numberFrame, requestFields, times, uint32 } from "../harness/h2-frames.ts";
import { attack } from "./attack.ts";
import { Victim } from "./victim.ts";

let victim: Victim;
beforeAll(async () => {
  victim = Victim.start();
  await victim.serve();
});
afterAll(async () => await victim.stop());

const OPEN = FLAG.endHeaders;
const ENDED = FLAG.endHeaders | FLAG.endStream;
const SILENT = requestFields("/silent");
/** Streams opened in one write. */
const STREAMS_A_ROUND = 200;

/** Streams one after the other, each with what follows its head. */
function streams(flags: number, head: Buffer, rest: (id: number) => Buffer): (round: number) => Buffer {
  return (round) =>
    Buffer.concat(
      Array.from({ length: STREAMS_A_ROUND }, (_, i) => {
        const id = (round * STREAMS_A_ROUND + i) * 2 + 1;
        return Buffer.concat([frame(FRAME.headers, flags, id, head), rest(id)]);
      }),
    );
}

function reset(code: number): (id: number) => Buffer {
  return (id) => numberFrame(FRAME.rstStream, id, code);
}

describe("streams that end in resets", () => {
  test.each([
    { name: "rapid reset (CVE-2023-44487)", next: streams(OPEN, SILENT, reset(H2_ERROR.cancel)) },
    { name: "rapid reset after the request is whole", next: streams(ENDED, SILENT, reset(H2_ERROR.cancel)) },
    { name: "rapid reset that claims to be no error", next: streams(ENDED, SILENT, reset(H2_ERROR.noError)) },
    // What follows has the server reset the stream itself: "MadeYouReset" (CVE-2025-8671).
    {
      name: "a window update of 0",
      next: streams(ENDED, SILENT, (id) => numberFrame(FRAME.windowUpdate, id, 0)),
    },
    {
      name: "a window that overflows",
      next: streams(ENDED, SILENT, (id) => numberFrame(FRAME.windowUpdate, id, 0x7fffffff)),
    },
    {
      name: "data after the end",
      next: streams(ENDED, SILENT, (id) => frame(FRAME.data, 0, id, Buffer.from("x"))),
    },
    {
      name: "a second head after the end",
      next: streams(ENDED, SILENT, (id) => frame(FRAME.headers, ENDED, id, SILENT)),
    },
    {
      name: "PRIORITY of a wrong length",
      next: streams(ENDED, SILENT, (id) => frame(FRAME.priority, 0, id, Buffer.alloc(4))),
    },
    {
      name: "PRIORITY on itself",
      next: streams(ENDED, SILENT, (id) => frame(FRAME.priority, 0, id, Buffer.concat([uint32(id), Buffer.alloc(1)]))),
    },
    {
      name: "a body longer than its head said",
      next: streams(OPEN, Buffer.concat([SILENT, literal("content-length", "1")]), (id) =>
        frame(FRAME.data, FLAG.endStream, id, Buffer.from("xx")),
      ),
    },
    {
      name: "trailers that do not end the stream",
      next: streams(OPEN, SILENT, (id) => frame(FRAME.headers, OPEN, id, literal("a", "b"))),
    },
    { name: "heads that are malformed", next: streams(ENDED, literal("A", "b"), () => Buffer.alloc(0)) },
  ])("$name", async ({ next }) => {
    const { cutOff } = await attack(victim, { run: async (peer) => await peer.flood(next) });
    expect(cutOff).toMatchObject({ kind: "reset_flood", code: H2_ERROR.enhanceYourCalm });
  });

  test("more streams than are allowed", async () => {
    const { cutOff } = await attack(victim, {
      run: async (peer) => await peer.flood(streams(ENDED, SILENT, () => Buffer.alloc(0))),
    });
    expect(cutOff.kind).toBe("reset_flood");
  });

  test.each([
    { name: "heads", one: frame(FRAME.headers, ENDED, 1, SILENT) },
    { name: "empty data", one: frame(FRAME.data, 0, 1) },
    { name: "resets", one: numberFrame(FRAME.rstStream, 1, H2_ERROR.cancel) },
  ])("$name on a stream that the server has reset", async ({ one }) => {
    const offence = Buffer.concat([frame(FRAME.headers, ENDED, 1, SILENT), numberFrame(FRAME.windowUpdate, 1, 0)]);
    const { cutOff } = await attack(victim, {
      prepare: (peer) => peer.send(offence),
      run: async (peer) => await peer.flood(() => times(500, one)),
    });
    expect(cutOff.kind).toBe("control_flood");
  });

  test("data beyond the window on a stream that the server has reset", async () => {
    const offence = Buffer.concat([frame(FRAME.headers, ENDED, 1, SILENT), numberFrame(FRAME.windowUpdate, 1, 0)]);
    const { cutOff } = await attack(victim, {
      prepare: (peer) => peer.send(offence),
      run: async (peer) => await peer.flood(() => frame(FRAME.data, 0, 1, Buffer.alloc(16_384))),
    });
    expect(cutOff.kind).toBe("flow_control_error");
  });
});
