import type { DaprClient } from "@dapr/dapr";
import { expect, it } from "vitest";
import { ApiKey } from "./api-key.ts";

it("reads the secret once, and again after it could not be read", async () => {
  let reads = 0;
  const get = async (): Promise<object> => {
    if (++reads === 1) throw new Error("sidecar is away");
    return await Promise.resolve({ "facade-api-key": "right" });
  };
  const key = new ApiKey({ secret: { get } } as unknown as DaprClient);
  await expect(key.isRight("right")).rejects.toThrow("sidecar is away");
  expect(await key.isRight("right")).toBe(true);
  expect(await key.isRight("wrong")).toBe(false);
  expect(reads).toBe(2);
});
