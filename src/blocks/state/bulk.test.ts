import { describe, expect, it } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import { writeAll } from "./bulk.ts";
import type { Writer } from "./store-target.ts";

const check = (request: string): void => {
  if (request === "odd") {
    throw new ComponentError("invalidRequest", "odd");
  }
};

/** A writer that keeps how it was called. */
function recorder(many: boolean) {
  const calls: string[] = [];
  const writer: Writer<string> = {
    one: async (request) => void calls.push(`one ${request}`),
    many: many ? async (requests) => void calls.push(`many ${requests.join(" ")}`) : undefined,
  };
  return { calls, writer };
}

describe("writeAll", () => {
  it.each([
    ["several go out in one call of a store that takes that", true, ["a", "b"], ["many a b"]],
    ["a single one goes out alone all the same", true, ["a"], ["one a"]],
    ["other stores get them one by one", false, ["a", "b"], ["one a", "one b"]],
  ])("%s", async (_, many, requests, calls) => {
    const recorded = recorder(many);
    await writeAll(undefined, requests, check, recorded.writer);
    expect(recorded.calls).toEqual(calls);
  });

  it("one that must not go out keeps the whole call back", async () => {
    const { calls, writer } = recorder(true);
    await expect(writeAll(undefined, ["a", "odd"], check, writer)).rejects.toThrow("odd");
    expect(calls).toEqual([]);
  });
});
