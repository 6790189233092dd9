import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FrameSink } from "../../../../test/harness/h2-sink.ts";
import { FAREWELL_BYTES_MAX, FAREWELL_MS } from "../limits.ts";
import { Farewell } from "./farewell.ts";
import { FRAME } from "./frames.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function scene(): { sink: FrameSink; farewell: Farewell } {
  const sink = new FrameSink();
  return { sink, farewell: new Farewell(sink.socket.asSocket(), sink.output) };
}

test("the last bytes go out although the socket had enough, and the peer gets a moment for them", () => {
  const { sink, farewell } = scene();
  sink.output.full = true;
  sink.writer.goaway(1, 0, "");
  farewell.begin(false);
  expect(sink.take().map(({ type }) => type)).toEqual([FRAME.goaway]);
  expect(sink.socket).toMatchObject({ writableEnded: true, destroyed: false });
  vi.advanceTimersByTime(FAREWELL_MS);
  expect(sink.socket.destroyed).toBe(true);
});

test("an honest peer gets the time that it needs to take them", () => {
  const { sink, farewell } = scene();
  farewell.begin(true);
  vi.advanceTimersByTime(60_000);
  expect(sink.socket.destroyed).toBe(false);
  sink.socket.emit("finish");
  vi.advanceTimersByTime(FAREWELL_MS);
  expect(sink.socket.destroyed).toBe(true);
});

test("it is said once", () => {
  const { sink, farewell } = scene();
  farewell.begin(true);
  farewell.begin(false);
  vi.advanceTimersByTime(60_000);
  expect(sink.socket.destroyed).toBe(false);
});

test("what the peer goes on sending is thrown away up to a bound", () => {
  const { sink, farewell } = scene();
  farewell.discard(FAREWELL_BYTES_MAX);
  expect(sink.socket.destroyed).toBe(false);
  farewell.discard(1);
  expect(sink.socket.destroyed).toBe(true);
});
