import { describe, expect, it, vi } from "vitest";
import { ComponentError, type ComponentErrorKind } from "../../components/spi/errors.ts";
import { document, drive, setUpResiliency } from "../../resiliency/policy.fixture.ts";
import { guardedTransaction } from "./guarded-transaction.ts";
import { RecordingStore, stateBlock } from "./state-block.fixture.ts";

async function setUp(retry: object = {}, timeouts: Readonly<Record<string, string>> = {}) {
  const { resiliency, clock } = await setUpResiliency(
    document({
      timeouts,
      retries: { DefaultStatestoreComponentOutboundRetryPolicy: { duration: "0", maxRetries: 2, ...retry } },
    }),
  );
  const store = new RecordingStore();
  const { block } = stateBlock(store, {}, { policies: resiliency });
  const keys = (): unknown[] => store.calls.map((call) => (call as { readonly key: string }).key);
  return { block, store, clock, keys, policy: resiliency.component("s", "Statestore", "outbound") };
}

const item = (key: string) => ({
  key,
  value: Buffer.from("1"),
  valueIsJson: true,
  etag: undefined,
  metadata: {},
  concurrency: "",
  consistency: "",
});
const failure = (kind: ComponentErrorKind, text: string) => new ComponentError(kind, text);

describe("state under a policy", () => {
  it("is read and deleted again when the store fails", async () => {
    const { block, store, clock, keys } = await setUp();
    store.failures.set("app||k", failure("unavailable", "down"));
    const get = block.get({ store: "mystore", key: "k", consistency: "", metadata: {} });
    await expect(drive(clock, get)).rejects.toThrow("down");
    await expect(drive(clock, block.delete({ store: "mystore", ...item("k") }))).rejects.toThrow("down");
    expect(keys()).toHaveLength(6);
  });

  it("is not written again where the etag does not fit", async () => {
    const { block, store, clock, keys } = await setUp();
    store.failures.set("app||k", failure("etagMismatch", "stale"));
    await expect(drive(clock, block.save({ store: "mystore", items: [item("k")] }))).rejects.toMatchObject({
      httpStatus: 409,
    });
    expect(keys()).toEqual(["app||k"]);
  });

  it("of several items only those are written again that failed, and nothing that failed is forgotten", async () => {
    const { block, store, clock, keys } = await setUp();
    store.failures.set("app||b", failure("unavailable", "down"));
    store.failures.set("app||c", failure("etagMismatch", "stale"));
    const saved = block.save({ store: "mystore", items: ["a", "b", "c", "d"].map(item) });
    saved.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    store.failures.delete("app||b");
    await expect(drive(clock, saved)).rejects.toThrow("stale");
    expect(keys()).toEqual(["app||a", "app||b", "app||c", "app||d", "app||b"]);
  });

  it("of several items all errors of the last attempt are told", async () => {
    const { block, store, clock, keys } = await setUp({ maxRetries: 1 });
    store.failures.set("app||a", failure("unavailable", "down a"));
    store.failures.set("app||b", failure("unavailable", "down b"));
    const removed = block.bulkDelete({ store: "mystore", items: ["a", "b", "c"].map(item) });
    await expect(drive(clock, removed)).rejects.toThrow("down a\ndown b");
    expect(keys()).toEqual(["app||a", "app||b", "app||c", "app||a", "app||b"]);
  });

  it("is given up when its time is over", async () => {
    const { block, store, clock } = await setUp({ maxRetries: 0 }, { DefaultTimeoutPolicy: "5ms" });
    store.get = () => new Promise<never>(() => {});
    const get = block.get({ store: "mystore", key: "k", consistency: "", metadata: {} });
    await expect(drive(clock, get, 1)).rejects.toThrow("context deadline exceeded");
  });
});

describe("a transaction under a policy", () => {
  const run = async (...answers: readonly (ComponentErrorKind | "done")[]) => {
    const { policy, store, clock } = await setUp();
    const left = [...answers];
    const transact = vi.fn(async () => {
      const answer = left.shift();
      if (answer !== undefined && answer !== "done") throw failure(answer, `it was ${answer}`);
    });
    const result = guardedTransaction(store, transact, policy!)([], {});
    const outcome = await drive(clock, result).catch((error: unknown) => (error as ComponentError).kind);
    return [outcome, transact.mock.calls.length];
  };

  it("is tried again until the store takes it", async () => {
    expect(await run("unavailable", "unavailable", "done")).toEqual([undefined, 3]);
  });

  it("is refused when its etags do not fit at the first attempt", async () => {
    expect(await run("etagMismatch")).toEqual(["etagMismatch", 1]);
  });

  it("is not said to be refused when an earlier attempt may have done it", async () => {
    expect(await run("unavailable", "etagMismatch")).toEqual(["unavailable", 2]);
  });
});
