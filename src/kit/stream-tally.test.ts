import { expect, test } from "vitest";
import {
  BUFFERS_BYTES_MAX,
  COLLECT_EVERY_BYTES,
  LOOK_EVERY_COLLECTIONS,
  StreamTally,
  tallied,
} from "./stream-tally.ts";

function recorded(buffers = 0) {
  const collected: string[] = [];
  const garbage = {
    collectYoung: () => void collected.push("young"),
    collectAll: () => void collected.push("all"),
    bufferBytes: () => buffers,
  };
  return { collected, tally: new StreamTally(garbage) };
}

test("young garbage is collected once for so many bytes, whichever stream they came in", async () => {
  const { collected, tally } = recorded();
  async function* half(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(COLLECT_EVERY_BYTES / 2);
  }
  for (const expected of [0, 1, 1, 2]) {
    for await (const chunk of tallied(half(), tally)) {
      expect(chunk.byteLength).toBe(COLLECT_EVERY_BYTES / 2);
    }
    expect(collected.length).toBe(expected);
  }
});

test.each([
  [BUFFERS_BYTES_MAX, "young"],
  [BUFFERS_BYTES_MAX + 1, "all"],
])("with %i bytes of buffers the look that comes once in a while collects %s", (buffers, kind) => {
  const { collected, tally } = recorded(buffers);
  for (let count = 0; count < LOOK_EVERY_COLLECTIONS; count += 1) tally.add(COLLECT_EVERY_BYTES);
  expect(collected).toEqual([...Array.from({ length: LOOK_EVERY_COLLECTIONS - 1 }, () => "young"), kind]);
});

test("a stream that is given up gives its source up, and one that nobody counts stays as it is", async () => {
  let freed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from("1");
      yield Buffer.from("2");
    } finally {
      freed = true;
    }
  }
  const stream = tallied(source(), recorded().tally)[Symbol.asyncIterator]();
  await stream.next();
  await stream.return?.();
  expect(freed).toBe(true);
  const plain = source();
  expect(tallied(plain, undefined)).toBe(plain);
});
