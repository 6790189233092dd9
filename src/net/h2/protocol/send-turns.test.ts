import { expect, test } from "vitest";
import { StreamOwnerDouble } from "../../../../test/harness/h2-stream-owner.ts";
import { FRAME_PAYLOAD_BYTES, WINDOW_BYTES_DEFAULT, WINDOW_BYTES_LIMIT } from "./frames.ts";
import type { H2Stream } from "./stream.ts";

class Scene extends StreamOwnerDouble {
  override stream(id: number, sendWindow = 10 * WINDOW_BYTES_DEFAULT): H2Stream {
    return super.stream(id, sendWindow);
  }
}

test("streams take turns of a frame each", () => {
  const scene = new Scene();
  const first = scene.stream(1);
  const second = scene.stream(3);
  scene.sink.output.full = true;
  first.send(Buffer.alloc(2 * FRAME_PAYLOAD_BYTES), true);
  second.send(Buffer.alloc(FRAME_PAYLOAD_BYTES + 1), true);
  expect([scene.sent(), scene.turns.queuedBytes]).toEqual([[], 3 * FRAME_PAYLOAD_BYTES + 1]);
  scene.sink.socket.emit("drain");
  expect(scene.sent()).toEqual([
    [1, FRAME_PAYLOAD_BYTES, false],
    [3, FRAME_PAYLOAD_BYTES, false],
    [1, FRAME_PAYLOAD_BYTES, true],
    [3, 1, true],
  ]);
  expect(scene.turns).toMatchObject({ queuedBytes: 0, sentBytes: 3 * FRAME_PAYLOAD_BYTES + 1, progressed: true });
});

test("nothing overtakes what waits", () => {
  const scene = new Scene();
  const first = scene.stream(1);
  const second = scene.stream(3);
  first.send(Buffer.alloc(WINDOW_BYTES_DEFAULT + 10), false);
  scene.sent();
  expect(scene.turns.canSend(second, 0)).toBe(false);
  second.send(Buffer.alloc(5), false);
  scene.turns.widen(12);
  expect(scene.sent()).toEqual([
    [1, 10, false],
    [3, 2, false],
  ]);
});

test("a stream without credit of its own holds up no other", () => {
  const scene = new Scene();
  const poor = scene.stream(1, 3);
  poor.send(Buffer.alloc(10), true);
  scene.stream(3).send(Buffer.alloc(10), true);
  expect(scene.sent()).toEqual([
    [1, 3, false],
    [3, 10, true],
  ]);
  poor.sendWindow = 7;
  scene.turns.reconsider(poor);
  expect(scene.sent()).toEqual([[1, 7, true]]);
});

test("ends and trailers need no window", () => {
  const scene = new Scene();
  const first = scene.stream(1);
  const second = scene.stream(3);
  const third = scene.stream(5);
  first.send(Buffer.alloc(WINDOW_BYTES_DEFAULT + 1), false);
  scene.sent();
  second.send(Buffer.alloc(0), true);
  third.sendTrailers([]);
  expect(scene.sent()).toEqual([
    [3, 0, true],
    [5, 0, true],
  ]);
});

test("what is closed loses its turn, and a stream not yet opened gets none", () => {
  const scene = new Scene();
  const gone = scene.stream(1);
  scene.sink.output.full = true;
  gone.send(Buffer.alloc(10), true);
  scene.stream(0).send(Buffer.alloc(10), true);
  gone.finish(8);
  scene.sink.socket.emit("drain");
  expect(scene.sent()).toEqual([]);
  expect([gone.scheduled, scene.turns.queuedBytes]).toEqual([false, 10]);
});

test("credit of 0, or beyond what a window may be, ends the connection", () => {
  const { turns } = new Scene();
  expect(() => turns.widen(0)).toThrow(expect.objectContaining({ kind: "protocol_error" }));
  expect(() => turns.widen(WINDOW_BYTES_LIMIT)).toThrow(expect.objectContaining({ kind: "flow_control_error" }));
});

test("a handler that sends again as soon as there is room is not left behind", () => {
  const scene = new StreamOwnerDouble();
  let rounds = 3;
  const stream = scene.stream(1, 10 * WINDOW_BYTES_DEFAULT, {
    onData() {},
    onEnd() {},
    onClose() {},
    onDrain() {
      rounds -= 1;
      if (rounds > 0) stream.send(Buffer.alloc(70_000), false);
    },
  });
  scene.turns.widen(10 * WINDOW_BYTES_DEFAULT);
  scene.sink.output.full = true;
  stream.send(Buffer.alloc(70_000), false);
  for (let turn = 0; turn < 10 && scene.sink.output.full; turn += 1) scene.sink.socket.emit("drain");
  expect([rounds, scene.turns.queuedBytes]).toEqual([0, 0]);
});
