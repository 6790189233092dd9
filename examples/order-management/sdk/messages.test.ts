import { type DaprClient, DaprPubSubStatusEnum, type DaprServer } from "@dapr/dapr";
import { afterEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { hear, tell } from "./messages.ts";

afterEach(() => void vi.restoreAllMocks());

it("says of each message whether it is done, must come again or is dropped", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  let deliver: (data: unknown, headers: object) => Promise<DaprPubSubStatusEnum> = async () =>
    await Promise.reject(new Error("none"));
  const subscribe = async (_pubsub: string, _topic: string, handler: typeof deliver): Promise<void> => {
    deliver = handler;
    await Promise.resolve();
  };
  await hear({ pubsub: { subscribe } } as unknown as DaprServer, "t", z.strictObject({ n: z.int() }), async ({ n }) => {
    if (n < 0) throw new Error("not now");
    await Promise.resolve();
  });
  expect(await deliver({ n: 1 }, {})).toBe(DaprPubSubStatusEnum.SUCCESS);
  expect(await deliver({ n: -1 }, {})).toBe(DaprPubSubStatusEnum.RETRY);
  expect(await deliver({ m: 1 }, {})).toBe(DaprPubSubStatusEnum.DROP);
});

it("throws what the SDK answers as well as what it throws", async () => {
  const telling = async (publish: () => Promise<object>): Promise<void> =>
    await tell({ pubsub: { publish } } as unknown as DaprClient, "t", {});
  await telling(async () => await Promise.resolve({}));
  const away = new Error("away");
  const text = "could not publish on t: away";
  await expect(telling(async () => await Promise.resolve({ error: away }))).rejects.toThrow(text);
  await expect(telling(async () => await Promise.reject(away))).rejects.toThrow(text);
  // eslint-disable-next-line prefer-promise-reject-errors -- the SDK's gRPC client does
  await expect(telling(async () => await Promise.reject({ error: away }))).rejects.toThrow(text);
});
