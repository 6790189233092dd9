import { StateConcurrencyEnum, StateConsistencyEnum } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DaprJsPair, PROTOCOLS, startDaprJsPair } from "./dapr-js-pair.ts";

describe.each(PROTOCOLS)("state through the official SDK over %s", (protocol) => {
  let pair: DaprJsPair;
  beforeAll(async () => {
    pair = await startDaprJsPair(protocol);
  });
  afterAll(() => pair.stop());

  async function etagOf(key: string): Promise<string> {
    const [item] = await pair.client.state.getBulk("store", [key]);
    return String(item?.["etag"]);
  }

  /** HTTP answers with the error, gRPC throws it. */
  async function failureOf(write: Promise<{ error?: Error }>): Promise<unknown> {
    try {
      return (await write).error;
    } catch (error) {
      return error;
    }
  }

  it("saves, gets and deletes", async () => {
    const { state } = pair.client;
    await state.save("store", [
      { key: "object", value: { amount: 3 } },
      { key: "text", value: "plain" },
    ]);
    expect(await state.get("store", "object")).toEqual({ amount: 3 });
    expect(await state.get("store", "text")).toBe("plain");
    expect(await state.delete("store", "object")).toEqual({});
    expect(await state.get("store", "object")).toBe("");
  });

  it("gets many at once, with their etags", async () => {
    const { state } = pair.client;
    await state.save("store", [
      { key: "bulk-1", value: { n: 1 } },
      { key: "bulk-2", value: { n: 2 } },
    ]);
    const items = await state.getBulk("store", ["bulk-1", "bulk-2", "bulk-3"], { parallelism: 2 });
    expect(items.map((item) => item["key"] as string).toSorted()).toEqual(["bulk-1", "bulk-2", "bulk-3"]);
    expect(items.find((item) => item["key"] === "bulk-2")).toMatchObject({
      data: { n: 2 },
      etag: expect.stringMatching(/./) as string,
    });
  });

  it("keeps a write and a delete with an old etag out", async () => {
    const { state } = pair.client;
    await state.save("store", [{ key: "guarded", value: { n: 1 } }]);
    const old = await etagOf("guarded");
    const options = {
      concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
      consistency: StateConsistencyEnum.CONSISTENCY_STRONG,
    };
    await state.save("store", [{ key: "guarded", value: { n: 2 }, etag: old, options }]);
    const late = state.save("store", [{ key: "guarded", value: { n: 3 }, etag: old }]);
    expect(String(await failureOf(late))).toMatch(/possible etag mismatch|etag/i);
    expect(await failureOf(state.delete("store", "guarded", { etag: old }))).toBeInstanceOf(Error);
    expect(await state.get("store", "guarded")).toEqual({ n: 2 });
    await state.delete("store", "guarded", { etag: await etagOf("guarded") });
    expect(await state.get("store", "guarded")).toBe("");
  });

  it("runs a transaction whole or not at all", async () => {
    const { state } = pair.client;
    await state.save("store", [{ key: "tx-old", value: "1" }]);
    await state.transaction("store", [
      { operation: "upsert", request: { key: "tx-new", value: "2" } },
      { operation: "delete", request: { key: "tx-old" } },
    ]);
    // Over HTTP a string is saved as JSON, over gRPC as the bytes 2, which the SDK reads as a number.
    expect(await state.get("store", "tx-new")).toBe(protocol === "http" ? "2" : 2);
    expect(await state.get("store", "tx-old")).toBe("");
    const broken = state.transaction("store", [
      { operation: "upsert", request: { key: "tx-never", value: "3" } },
      { operation: "upsert", request: { key: "tx-new", value: "4", etag: { value: "999999" } } },
    ]);
    await expect(broken).rejects.toBeInstanceOf(Error);
    expect(await state.get("store", "tx-never")).toBe("");
  });

  it("gives the SDK an error that names the store there is none of", async () => {
    await expect(pair.client.state.get("nowhere", "key")).rejects.toThrow(/state store nowhere is not found/);
  });
});
