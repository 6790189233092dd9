import { expect, test } from "vitest";
import { FrameSink } from "../../../../test/harness/h2-sink.ts";
import { resolveTransportOptions } from "../limits.ts";
import type { TransportOptions } from "../transport.ts";
import { FRAME, WINDOW_BYTES_DEFAULT } from "./frames.ts";
import { ReceiveWindows } from "./receive-windows.ts";
import type { H2Stream } from "./stream.ts";

const CONNECTION_BYTES = 200_000;
const STREAM_BYTES = 1_000;

/** Windows that have been widened, and the credit that they gave since, by stream. */
function scene(options: TransportOptions = {}): { windows: ReceiveWindows; credit: () => number[][] } {
  const sink = new FrameSink();
  const windows = new ReceiveWindows(
    resolveTransportOptions({ connectionWindowBytes: CONNECTION_BYTES, streamWindowBytes: STREAM_BYTES, ...options }),
    sink.writer,
  );
  windows.widen();
  const credit = (): number[][] =>
    sink.take().map(({ type, id, payload }) => {
      expect(type).toBe(FRAME.windowUpdate);
      return [id, payload.readUInt32BE()];
    });
  return { windows, credit };
}

function streamOf(parts: Partial<H2Stream> = {}): H2Stream {
  return { id: 3, consumed: 0, receiveWindow: 0, remoteEnded: false, closed: false, ...parts } as H2Stream;
}

test("the connection's window is widened, and not beyond", () => {
  const { windows, credit } = scene();
  expect(credit()).toEqual([[0, CONNECTION_BYTES - WINDOW_BYTES_DEFAULT]]);
  windows.spend(CONNECTION_BYTES);
  expect(() => windows.spend(1)).toThrow(expect.objectContaining({ kind: "flow_control_error" }));
});

test("a window smaller than the default is not taken back", () => {
  expect(scene({ connectionWindowBytes: 1_000 }).credit()).toEqual([]);
});

test("credit comes when half a window is taken", () => {
  const { windows, credit } = scene();
  credit();
  const stream = streamOf();
  windows.creditStream(stream, 499);
  windows.creditConnection(CONNECTION_BYTES / 2 - 1);
  expect(credit()).toEqual([]);
  windows.creditStream(stream, 1);
  windows.creditConnection(1);
  expect(credit()).toEqual([
    [3, 500],
    [0, CONNECTION_BYTES / 2],
  ]);
  expect(stream).toMatchObject({ receiveWindow: 500, consumed: 0 });
});

test.each([{ remoteEnded: true }, { closed: true }])("a stream that is over gets no credit: %o", (parts) => {
  const { windows, credit } = scene();
  credit();
  windows.creditStream(streamOf(parts), STREAM_BYTES);
  expect(credit()).toEqual([]);
});

test("held bytes are credited up to a bound, and those beyond it once they are released", () => {
  const half = CONNECTION_BYTES / 2;
  const { windows, credit } = scene({ heldBytesMax: half });
  credit();
  windows.hold(half);
  expect(credit()).toEqual([[0, half]]);
  windows.hold(half);
  expect(credit()).toEqual([]);
  windows.release(half);
  expect(credit()).toEqual([[0, half]]);
  windows.release(half);
  expect(credit()).toEqual([]);
});
