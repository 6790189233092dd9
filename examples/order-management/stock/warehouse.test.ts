import { beforeEach, expect, it } from "vitest";
import { eventKey, itemKey, reservationKey } from "../model/names.ts";
import { MemoryStore } from "../store/memory-store.fixture.ts";
import { Warehouse } from "./warehouse.ts";

const NOW = Date.UTC(2026, 0, 1);
const LINES = [{ code: "10001", quantity: 2 }];
let store: MemoryStore;
let announced: unknown[];
let warehouse: Warehouse;

beforeEach(async () => {
  store = new MemoryStore();
  announced = [];
  warehouse = new Warehouse({
    store,
    now: () => NOW,
    lifetimeMs: () => 5000,
    announce: async (reservation) => void announced.push(reservation),
  });
  await warehouse.open({ items: { "10001": 4 } });
});

it("fills empty shelves only", async () => {
  await warehouse.reserve({ reservationId: "r1", lines: LINES });
  expect(await warehouse.open({ items: { "10001": 9, "10002": 9 } })).toEqual({ codes: 2, opened: 1 });
  expect(await warehouse.availability("10001")).toEqual({ item: { code: "10001", onHand: 2, reserved: 2 } });
  expect(await warehouse.availability("10002")).toEqual({ item: { code: "10002", onHand: 9, reserved: 0 } });
  expect(await warehouse.availability("10003")).toEqual({ item: null });
});

it("tells of a reservation, with its end, and answers the same again", async () => {
  const answer = { status: "reserved", expiresAt: NOW + 5000 };
  expect(await warehouse.reserve({ reservationId: "r1", lines: LINES })).toEqual(answer);
  expect(announced).toEqual([{ reservationId: "r1", expiresAt: NOW + 5000 }]);
  expect(await warehouse.reserve({ reservationId: "r1", lines: LINES })).toEqual(answer);
});

it("takes nothing when it cannot tell of a reservation", async () => {
  const silent = new Warehouse({
    store,
    now: () => NOW,
    lifetimeMs: () => 5000,
    announce: async () => await Promise.reject(new Error("no broker")),
  });
  await expect(silent.reserve({ reservationId: "r1", lines: LINES })).rejects.toThrow("no broker");
  expect(store.value(reservationKey("r1"))).toBeUndefined();
  expect(await warehouse.availability("10001")).toMatchObject({ item: { onHand: 4, reserved: 0 } });
});

it("writes each step into the event log, with its owner and its books", async () => {
  await warehouse.reserve({ reservationId: "r1", lines: LINES });
  await warehouse.commit({ reservationId: "r1", orderId: "o1", lines: LINES });
  const owner = "reservation:r1";
  const at = "2026-01-01T00:00:00.000Z";
  expect(store.value(eventKey(owner, 0))).toEqual({ owner, n: 0, kind: "reserve", lines: LINES, at });
  expect(store.value(eventKey(owner, 1))).toEqual({ owner, n: 1, kind: "commit", lines: LINES, at });
  expect(store.value(eventKey(owner, 2))).toBeUndefined();
  expect(store.value(itemKey("10001"))).toEqual({
    opening: 4,
    onHand: 2,
    reserved: 0,
    sold: 2,
    writtenOff: 0,
    returned: 0,
    lowest: 2,
  });
});

it("refuses an id that holds other goods", async () => {
  const other = [{ code: "10001", quantity: 1 }];
  await warehouse.reserve({ reservationId: "r1", lines: LINES });
  expect(await warehouse.reserve({ reservationId: "r1", lines: other })).toMatchObject({ status: "mismatched" });
  expect(await warehouse.commit({ reservationId: "r1", orderId: "o1", lines: other })).toEqual({
    status: "mismatched",
  });
  await warehouse.transfer({ id: "C1", kind: "return", lines: LINES });
  expect(await warehouse.transfer({ id: "C1", kind: "cancellation", lines: LINES })).toEqual({ status: "mismatched" });
  expect(await warehouse.transfer({ id: "C1", kind: "return", lines: other })).toEqual({ status: "mismatched" });
  expect(await warehouse.transfer({ id: "C1", kind: "return", lines: LINES })).toEqual({ status: "done" });
});

it("sells a reservation with one order only", async () => {
  await warehouse.reserve({ reservationId: "r1", lines: LINES });
  const order = { reservationId: "r1", lines: LINES };
  expect(await warehouse.commit({ ...order, orderId: "o1" })).toEqual({ status: "committed" });
  expect(await warehouse.commit({ ...order, orderId: "o2" })).toEqual({ status: "mismatched" });
  expect(await warehouse.commit({ ...order, orderId: "o1" })).toEqual({ status: "committed" });
  expect(await warehouse.release({ reservationId: "r1", reason: "expired" })).toEqual({ status: "committed" });
});

it("says how a reservation ended to those who come late", async () => {
  expect(await warehouse.commit({ reservationId: "r1", orderId: "o1", lines: LINES })).toEqual({ status: "unknown" });
  await warehouse.reserve({ reservationId: "r1", lines: LINES });
  expect(await warehouse.release({ reservationId: "r1", reason: "expired" })).toEqual({ status: "expired" });
  expect(await warehouse.release({ reservationId: "r1", reason: "cancelled" })).toEqual({ status: "expired" });
  expect(await warehouse.commit({ reservationId: "r1", orderId: "o1", lines: LINES })).toEqual({ status: "expired" });
  expect(await warehouse.reserve({ reservationId: "r1", lines: LINES })).toMatchObject({ status: "expired" });

  const short = [{ code: "10001", quantity: 5 }];
  const refused = { status: "refused", shortOf: "10001" };
  expect(await warehouse.reserve({ reservationId: "r2", lines: short })).toMatchObject(refused);
  expect(await warehouse.reserve({ reservationId: "r2", lines: short })).toMatchObject(refused);
  expect(await warehouse.commit({ reservationId: "r2", orderId: "o1", lines: short })).toEqual({ status: "refused" });
  expect(await warehouse.release({ reservationId: "r2", reason: "expired" })).toEqual({ status: "refused" });
  expect(await warehouse.transfer({ id: "900", kind: "write-off", lines: short })).toEqual(refused);
});

it("lets no reservation be made that was given up before", async () => {
  expect(await warehouse.release({ reservationId: "r1", reason: "cancelled" })).toEqual({ status: "cancelled" });
  expect(await warehouse.reserve({ reservationId: "r1", lines: LINES })).toMatchObject({ status: "cancelled" });
  expect(await warehouse.availability("10001")).toMatchObject({ item: { onHand: 4, reserved: 0 } });
});
