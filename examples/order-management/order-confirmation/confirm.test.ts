import { expect, it } from "vitest";
import type { CommitAnswer } from "../model/stock-methods.ts";
import { confirm, type ConfirmOptions } from "./confirm.ts";

const ORDER = { orderId: "1", reservationId: "r1", lines: [{ code: "10001", quantity: 2 }], value: 3 };

function desk(status: CommitAnswer["status"]): { options: ConfirmOptions; done: unknown[] } {
  const done: unknown[] = [];
  const note = async <Answer>(what: unknown, answer: Answer): Promise<Answer> => {
    done.push(what);
    return await Promise.resolve(answer);
  };
  const options: ConfirmOptions = {
    commit: async (request) => await note({ commit: request }, { status }),
    send: async (file, confirmation) => await note({ file, confirmation }, undefined),
    conclude: async (request) =>
      await note({ conclude: request }, { order: { id: "1", status: "confirmed", reservationId: "r1", value: 3 } }),
    now: () => Date.UTC(2026, 0, 1),
  };
  return { options, done };
}

it("commits, confirms to the customer and then ends the order", async () => {
  const { options, done } = desk("committed");
  await confirm(ORDER, options);
  expect(done).toEqual([
    { commit: { reservationId: "r1", orderId: "1", lines: ORDER.lines } },
    { file: "1.json", confirmation: { ...ORDER, confirmedAt: "2026-01-01T00:00:00.000Z" } },
    { conclude: { id: "1", status: "confirmed" } },
  ]);
});

it.each([
  ["refused", "rejected"],
  ["unknown", "rejected"],
  ["mismatched", "rejected"],
  ["cancelled", "cancelled"],
  ["expired", "expired"],
] as const)("ends the order of a reservation that is %s as %s", async (status, end) => {
  const { options, done } = desk(status);
  await confirm(ORDER, options);
  expect(done.slice(1)).toEqual([{ conclude: { id: "1", status: end } }]);
});

it("fails when any of the three does, so that the message comes again", async () => {
  const broken = async (): Promise<never> => await Promise.reject(new Error("away"));
  for (const part of ["commit", "send", "conclude"] as const) {
    await expect(confirm(ORDER, { ...desk("committed").options, [part]: broken })).rejects.toThrow("away");
  }
  const conclude: ConfirmOptions["conclude"] = async () =>
    await Promise.resolve({ refusal: "already-concluded", message: "order 1 has ended as expired" });
  await expect(confirm(ORDER, { ...desk("committed").options, conclude })).rejects.toThrow(
    "order 1, its reservation committed: order 1 has ended as expired",
  );
});
