import { expect, test } from "vitest";
import { SinkSocket } from "../../../../test/harness/h2-sink.ts";
import { Output } from "./output.ts";

function scene(): { output: Output; socket: SinkSocket; rooms: () => number } {
  const socket = new SinkSocket();
  let rooms = 0;
  const output = new Output(socket.asSocket(), () => {
    rooms += 1;
  });
  return { output, socket, rooms: () => rooms };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what is put together in a turn is written once, at its end", async () => {
  const { output, socket } = scene();
  for (let i = 0; i < 20; i += 1) {
    output.frameHeader(8, 6, 0, 0);
    output.uint32(i);
    output.uint32(i);
    output.schedule();
  }
  expect(socket.chunks).toEqual([]);
  await turn();
  expect(socket.chunks.map(({ length }) => length)).toEqual([20 * 17]);
});

test("numbers are written with their highest byte first", () => {
  const { output, socket } = scene();
  output.frameHeader(0x010203, 4, 5, 0x06070809);
  output.uint16(0x0a0b);
  output.uint32(0xfcfdfeff);
  output.flush();
  expect(Buffer.concat(socket.chunks).toString("hex")).toBe("0102030405060708090a0bfcfdfeff");
});

test("large payloads are handed on as they are, in their order", () => {
  const { output, socket } = scene();
  const large = Buffer.alloc(5_000, 1);
  output.uint16(1);
  output.payload(large);
  output.payload(new Uint8Array(6_000).fill(2));
  output.uint16(3);
  output.flush();
  expect(Buffer.concat(socket.chunks)).toEqual(
    Buffer.concat([Buffer.from([0, 1]), large, Buffer.alloc(6_000, 2), Buffer.from([0, 3])]),
  );
});

test("much is written before the turn ends", () => {
  const { output, socket } = scene();
  for (let i = 0; i < 4; i += 1) output.payload(Buffer.alloc(16_384));
  expect(socket.chunks).toHaveLength(4);
});

test("a socket that has enough is left alone until it drains", () => {
  const { output, socket, rooms } = scene();
  socket.room = false;
  output.uint32(1);
  output.flush();
  output.uint32(2);
  output.flush();
  expect([socket.chunks.length, output.full, output.backlogBytes]).toEqual([1, true, 4]);
  socket.emit("drain");
  expect([socket.chunks.length, output.full, rooms()]).toEqual([2, true, 0]);
  socket.room = true;
  socket.emit("drain");
  expect([output.full, output.backlogBytes, rooms()]).toEqual([false, 0, 1]);
});

test("last words are written although the socket has enough", () => {
  const { output, socket } = scene();
  output.full = true;
  output.uint32(1);
  output.flush();
  expect(socket.chunks).toEqual([]);
  output.flushAll();
  expect(socket.chunks).toHaveLength(1);
});

test("nothing is written to a socket that is gone, nor kept for it", () => {
  const { output, socket } = scene();
  socket.destroyed = true;
  output.uint32(1);
  output.flush();
  expect([socket.chunks.length, output.backlogBytes]).toEqual([0, 0]);
});

test("rest throws away no bytes that wait", () => {
  const { output, socket } = scene();
  output.uint32(1);
  output.rest();
  output.flush();
  output.rest();
  output.uint32(2);
  output.flush();
  expect(Buffer.concat(socket.chunks).toString("hex")).toBe("0000000100000002");
});
