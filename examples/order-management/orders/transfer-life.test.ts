import { expect, it } from "vitest";
import type { Transfer } from "../model/transfer.ts";
import { Shelves } from "./shelves.fixture.ts";
import { TransferLife } from "./transfer-life.ts";

const LINES = [
  { code: "10001", quantity: 2 },
  { code: "10002", quantity: 1 },
];

function transferOf(units: Readonly<Record<string, number>>) {
  const shelves = new Shelves(units);
  const world = { shelves, stored: undefined as Transfer | undefined, isReminded: false, cutOff: false };
  const life = new TransferLife({
    id: "9",
    load: async () => await Promise.resolve(world.stored),
    save: async (transfer) => void (world.stored = await Promise.resolve(transfer)),
    move: async (kind, lines) => {
      for (const line of lines) {
        if (!shelves.move("transfer:9", kind, line)) return line.code;
        if (world.cutOff) throw new Error("away");
      }
      return await Promise.resolve(undefined);
    },
    remind: async () => void (world.isReminded = await Promise.resolve(true)),
    forget: async () => void (world.isReminded = await Promise.resolve(false)),
  });
  return Object.assign(world, { life });
}

it("takes goods back", async () => {
  const transfer = transferOf({ "10001": 1 });
  expect(await transfer.life.move({ kind: "return", lines: LINES })).toEqual({ status: "done" });
  expect(transfer.shelves.books.get("10001")).toMatchObject({ onHand: 3, returned: 2 });
  expect(transfer.isReminded).toBe(false);
});

it("writes all of the goods off or none", async () => {
  const transfer = transferOf({ "10001": 5, "10002": 1 });
  for (let times = 0; times < 2; times++) {
    expect(await transfer.life.move({ kind: "write-off", lines: LINES })).toEqual({ status: "done" });
    expect(transfer.shelves.books.get("10001")).toMatchObject({ onHand: 3, reserved: 0, writtenOff: 2 });
  }
  const short = transferOf({ "10001": 5, "10002": 0 });
  for (let times = 0; times < 2; times++) {
    const refused = { status: "refused", shortOf: "10002" };
    expect(await short.life.move({ kind: "write-off", lines: LINES })).toEqual(refused);
    expect(short.shelves.books.get("10001")).toMatchObject({ onHand: 5, reserved: 0, writtenOff: 0 });
  }
});

it("is carried on by its reminder where nobody else comes", async () => {
  const transfer = transferOf({ "10001": 5, "10002": 1 });
  transfer.cutOff = true;
  await expect(transfer.life.move({ kind: "write-off", lines: LINES })).rejects.toThrow("away");
  expect(transfer.isReminded).toBe(true);
  transfer.cutOff = false;
  await transfer.life.carryOn();
  expect(transfer.stored?.status).toBe("done");
  expect(transfer.isReminded).toBe(false);
});

it("does not take another transfer for itself", async () => {
  const transfer = transferOf({ "10001": 5, "10002": 1 });
  await transfer.life.move({ kind: "return", lines: LINES });
  const other = { kind: "return", lines: LINES.slice(1) } as const;
  expect(await transfer.life.move(other)).toEqual({ status: "mismatched" });
});
