import { describe, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import {
  BATCH_DELAY_MS,
  BATCH_SPANS_MAX,
  FLUSH_MS_MAX,
  QUEUED_CHARACTERS_MAX,
  QUEUED_SPANS_MAX,
  RETRY_MS_MAX,
} from "./limits.ts";
import { ExportError, SpanBatcher } from "./span-batcher.ts";
import { finishedSpan } from "./spans.fixture.ts";
import type { RecordedSpan } from "./span.ts";

/** An exporter whose answers the test gives. */
function harness(answer: () => Promise<void> = async () => undefined) {
  const clock = new VirtualClock();
  const batches: number[] = [];
  const warnings: string[] = [];
  let dropped = 0;
  let closed = 0;
  const logger = { warn: (text: string) => void warnings.push(text) } as Partial<Logger> as Logger;
  const exporter = {
    name: "double",
    export(spans: readonly RecordedSpan[]) {
      batches.push(spans.length);
      return answer();
    },
    close: async () => void (closed += 1),
  };
  const batcher = new SpanBatcher(exporter, {
    clock,
    logger,
    observer: { dropped: (_name, count) => void (dropped += count) },
  });
  const add = (count: number): void => {
    for (let index = 0; index < count; index += 1) {
      batcher.add(finishedSpan());
    }
  };
  return { clock, batcher, batches, warnings, add, dropped: () => dropped, closed: () => closed };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("batches", () => {
  it("go out when they are full, and after a while when they are not", async () => {
    const { add, batches, clock } = harness();
    add(BATCH_SPANS_MAX + 1);
    await settled();
    expect(batches).toEqual([BATCH_SPANS_MAX]);
    clock.advance(BATCH_DELAY_MS);
    await settled();
    expect(batches).toEqual([BATCH_SPANS_MAX, 1]);
  });

  it("go out one at a time, and what comes meanwhile waits", async () => {
    const answers: (() => void)[] = [];
    const { add, batches } = harness(() => new Promise((resolve) => answers.push(resolve)));
    add(BATCH_SPANS_MAX * 3);
    expect(batches).toEqual([BATCH_SPANS_MAX]);
    answers.shift()?.();
    await settled();
    expect(batches).toEqual([BATCH_SPANS_MAX, BATCH_SPANS_MAX]);
  });
});

describe("a back end that does not answer", () => {
  it("costs what does not fit the queue, counted and told once a minute", async () => {
    const { add, clock, dropped, warnings } = harness(() => new Promise(() => undefined));
    add(QUEUED_SPANS_MAX + 3);
    expect(dropped()).toBe(3);
    expect(warnings).toEqual([`1 spans were not exported to double: its queue of ${QUEUED_SPANS_MAX} spans is full`]);
    clock.advance(60_000);
    add(1);
    expect(warnings.at(-1)).toContain("3 spans were not exported");
  });

  it("holds no more text than a limit, and takes spans again when some has gone out", async () => {
    const answers: (() => void)[] = [];
    const { batcher, clock, dropped, warnings, batches } = harness(
      () => new Promise((resolve) => answers.push(resolve)),
    );
    const text = "x".repeat(QUEUED_CHARACTERS_MAX / 4 - 100);
    const addLarge = (): void => {
      const span = finishedSpan();
      span.set("dapr-note", text);
      batcher.add(span);
    };
    for (let index = 0; index < 5; index += 1) addLarge();
    expect(dropped()).toBe(1);
    expect(warnings[0]).toContain(`${QUEUED_CHARACTERS_MAX} characters`);
    clock.advance(BATCH_DELAY_MS);
    addLarge();
    expect([batches, dropped()]).toEqual([[4], 2]);
    answers.shift()?.();
    await settled();
    addLarge();
    expect(dropped()).toBe(2);
  });

  it("is not waited for beyond a limit when everything ends", async () => {
    const { add, batcher, clock, dropped, closed } = harness(() => new Promise(() => undefined));
    add(5);
    const ending = batcher.close();
    clock.advance(FLUSH_MS_MAX);
    await ending;
    expect([dropped(), closed()]).toEqual([5, 1]);
  });

  it("has its spans counted once, also when their request fails after the end", async () => {
    const request = Promise.withResolvers<void>();
    const { add, batcher, clock, dropped } = harness(() => request.promise);
    add(5);
    const ending = batcher.close();
    clock.advance(FLUSH_MS_MAX);
    await ending;
    request.reject(new ExportError("cut off"));
    await settled();
    expect(dropped()).toBe(5);
  });

  it("is not blamed for spans that end after everything else", async () => {
    const { add, batcher, dropped, warnings } = harness();
    await batcher.close();
    add(1);
    expect([dropped(), warnings]).toEqual([1, ["1 spans were not exported to double: they ended after it was closed"]]);
  });
});

describe("a batch that is refused", () => {
  it("is repeated, at longer and longer intervals, while that is worth it", async () => {
    let refusals = 3;
    const { add, batches, clock, dropped } = harness(async () => {
      refusals -= 1;
      if (refusals >= 0) {
        throw new ExportError("busy");
      }
    });
    add(BATCH_SPANS_MAX);
    for (const delayMs of [5_000, 10_000, 20_000]) {
      await settled();
      clock.advance(delayMs - 1);
      await settled();
      const before = batches.length;
      clock.advance(1);
      await settled();
      expect(batches.length).toBe(before + 1);
    }
    expect(dropped()).toBe(0);
  });

  it("waits as long as the back end asks", async () => {
    let first = true;
    const { add, batches, clock } = harness(async () => {
      if (first) {
        first = false;
        throw new ExportError("busy", 2_000);
      }
    });
    add(BATCH_SPANS_MAX);
    await settled();
    clock.advance(2_000);
    await settled();
    expect(batches).toHaveLength(2);
  });

  it("is given up after a minute, or at once for good reasons", async () => {
    const busy = harness(async () => {
      throw new ExportError("busy");
    });
    busy.add(BATCH_SPANS_MAX);
    for (let passedMs = 0; passedMs <= RETRY_MS_MAX; passedMs += 5_000) {
      await settled();
      busy.clock.advance(5_000);
    }
    await settled();
    expect(busy.dropped()).toBe(BATCH_SPANS_MAX);
    const bad = harness(async () => {
      throw new Error("bad request");
    });
    bad.add(BATCH_SPANS_MAX);
    await settled();
    expect([bad.dropped(), bad.batches.length]).toEqual([BATCH_SPANS_MAX, 1]);
  });

  it("is not repeated while everything ends", async () => {
    const { add, batcher, batches, dropped } = harness(async () => {
      throw new ExportError("nobody listens");
    });
    add(3);
    await batcher.close();
    expect([batches, dropped()]).toEqual([[3], 3]);
  });
});

it("what is left goes out at the end, in batches", async () => {
  const { add, batcher, batches, closed } = harness();
  add(BATCH_SPANS_MAX + 7);
  await batcher.close();
  expect([batches, closed()]).toEqual([[BATCH_SPANS_MAX, 7], 1]);
});
