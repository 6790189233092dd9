import { expect, it } from "vitest";
import { confirm, type ConfirmOptions } from "./confirm.ts";

const ORDER = { orderId: "1", lines: [{ code: "10001", quantity: 2 }], value: 3 };

function desk(): { options: ConfirmOptions; done: unknown[] } {
  const done: unknown[] = [];
  const options: ConfirmOptions = {
    send: async (file, confirmation) => void done.push(await Promise.resolve({ file, confirmation })),
    confirm: async (orderId) => {
      done.push({ confirm: orderId });
      return await Promise.resolve({ order: { id: "1", status: "confirmed", value: 3, expiresAt: 0 } });
    },
    now: () => Date.UTC(2026, 0, 1),
  };
  return { options, done };
}

it("confirms to the customer, and then to the order", async () => {
  const { options, done } = desk();
  await confirm(ORDER, options);
  expect(done).toEqual([
    { file: "1.json", confirmation: { ...ORDER, confirmedAt: "2026-01-01T00:00:00.000Z" } },
    { confirm: "1" },
  ]);
});

it("fails when either does, so that the message comes again", async () => {
  const broken = async (): Promise<never> => await Promise.reject(new Error("away"));
  for (const part of ["send", "confirm"] as const) {
    await expect(confirm(ORDER, { ...desk().options, [part]: broken })).rejects.toThrow("away");
  }
  const gone: ConfirmOptions["confirm"] = async () =>
    await Promise.resolve({ refusal: "order-not-found", message: "there is no order 1" });
  await expect(confirm(ORDER, { ...desk().options, confirm: gone })).rejects.toThrow("order 1: there is no order 1");
});
