import { expect, test } from "vitest";
import { FrameSink } from "../../../../test/harness/h2-sink.ts";
import { resolveTransportOptions } from "../limits.ts";
import { H2_ERROR } from "../transport.ts";
import { WINDOW_BYTES_DEFAULT } from "./frames.ts";
import { type DataOwner, IncomingData } from "./incoming-data.ts";
import { Offences } from "./offences.ts";
import { ReceiveWindows } from "./receive-windows.ts";
import { ResetMemory } from "./reset-memory.ts";
import { StreamTable } from "./stream-table.ts";
import type { H2Stream } from "./stream.ts";

const STREAM_BYTES = 1_000;
const OPTIONS = resolveTransportOptions({
  streamWindowBytes: STREAM_BYTES,
  connectionWindowBytes: WINDOW_BYTES_DEFAULT,
  controlBurst: 2,
  controlsPerS: 0,
});

class Scene implements DataOwner {
  readonly told: string[] = [];
  readonly sink = new FrameSink();
  readonly streams = new StreamTable();
  readonly resetByUs = new ResetMemory();
  readonly windows = new ReceiveWindows(OPTIONS, this.sink.writer);
  readonly offences = new Offences(OPTIONS, this.sink.output);
  readonly data = new IncomingData(this, this);
  readonly stream: H2Stream;

  constructor(parts: Partial<H2Stream> = {}) {
    const stream = {
      id: 1,
      consumed: 0,
      receiveWindow: STREAM_BYTES,
      contentLength: -1,
      received: 0,
      remoteEnded: false,
      closed: false,
      nextInSlot: undefined,
      gotData: (chunk: Buffer) => this.told.push(`data ${chunk.toString()}`),
      ...parts,
    };
    this.stream = stream as unknown as H2Stream;
    this.streams.add(this.stream);
  }

  isIdle(id: number): boolean {
    return id > 9;
  }

  expectsData(): boolean {
    return true;
  }

  offend(stream: H2Stream, code: number): void {
    stream.closed = true;
    this.told.push(`offence ${code}`);
  }

  strayFrame(id: number): void {
    this.told.push(`stray ${id}`);
  }

  endOf(): void {
    this.told.push("end");
  }

  frame(id: number, length: number, chunks: readonly string[], endStream = false): void {
    this.data.begin(id, length);
    for (const chunk of chunks) this.data.take(Buffer.from(chunk));
    this.data.end(endStream);
  }

  /** Credit given since the last call, by stream. */
  credit(): number[][] {
    return this.sink.take().map(({ id, payload }) => [id, payload.readUInt32BE()]);
  }
}

test("a stream gets its pieces and its end", () => {
  const scene = new Scene();
  scene.frame(1, 5, ["ab", "cde"], true);
  expect(scene.told).toEqual(["data ab", "data cde", "end"]);
  expect(scene.stream).toMatchObject({ received: 5, receiveWindow: STREAM_BYTES - 5 });
});

test("padding is given back on the stream and the connection", () => {
  const scene = new Scene();
  scene.frame(1, 600, ["ab"]);
  expect(scene.credit()).toEqual([[1, 598]]);
  scene.windows.creditConnection(WINDOW_BYTES_DEFAULT / 2 - 597);
  expect(scene.credit()).toEqual([[0, Math.ceil(WINDOW_BYTES_DEFAULT / 2)]]);
});

test.each([
  ["beyond the stream's window", {}, STREAM_BYTES + 1, H2_ERROR.flowControl],
  ["after its end", { remoteEnded: true }, 1, H2_ERROR.streamClosed],
])("DATA %s offends, and nobody takes it", (_, parts, length, code) => {
  const scene = new Scene(parts);
  scene.frame(1, length, ["x"], true);
  expect(scene.told).toEqual([`offence ${code}`]);
});

test("a body longer than its head said offends", () => {
  const scene = new Scene({ contentLength: 3 });
  scene.frame(1, 4, ["ab", "cd", "e"]);
  expect(scene.told).toEqual(["data ab", `offence ${H2_ERROR.protocol}`]);
});

test("DATA for nobody is stray, but on a stream in reset only beyond its window", () => {
  const scene = new Scene();
  scene.frame(5, 3, ["abc"]);
  scene.resetByUs.add(7, 4);
  scene.frame(7, 3, ["abc"]);
  expect(scene.told).toEqual(["stray 5"]);
  expect(() => scene.data.begin(7, 2)).toThrow(expect.objectContaining({ kind: "flow_control_error" }));
});

test.each([
  [0, "DATA on stream 0"],
  [11, "DATA on idle stream 11"],
])("DATA on stream %d ends the connection", (id, reason) => {
  expect(() => new Scene().data.begin(id, 0)).toThrow(reason);
});

test("empty DATA is noise unless it ends a stream", () => {
  const scene = new Scene();
  scene.frame(1, 0, []);
  scene.frame(1, 0, []);
  expect(() => scene.frame(1, 0, [])).toThrow(expect.objectContaining({ kind: "control_flood" }));
  const ended = new Scene();
  for (let i = 0; i < 5; i += 1) ended.frame(1, 0, [], true);
  expect(ended.told).toEqual(Array.from({ length: 5 }, () => "end"));
});
