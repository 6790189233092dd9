import { expect, test } from "vitest";
import { COLLECT_EVERY_BYTES, StreamTally, tallied } from "./stream-tally.ts";

test("young garbage is collected once for so many bytes, whichever stream they came in", async () => {
  let collections = 0;
  const tally = new StreamTally(() => void (collections += 1));
  async function* half(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(COLLECT_EVERY_BYTES / 2);
  }
  for (const expected of [0, 1, 1, 2]) {
    for await (const chunk of tallied(half(), tally)) {
      expect(chunk.byteLength).toBe(COLLECT_EVERY_BYTES / 2);
    }
    expect(collections).toBe(expected);
  }
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
  const stream = tallied(source(), new StreamTally(() => undefined))[Symbol.asyncIterator]();
  await stream.next();
  await stream.return?.();
  expect(freed).toBe(true);
  const plain = source();
  expect(tallied(plain, undefined)).toBe(plain);
});
