import { goodsOf } from "../model/invoice.ts";
import type { OpeningStock } from "../model/stock-commands.ts";
import type { Task } from "./plan.ts";
import { seededRandom } from "./seeded-random.ts";

/** How many of the orders find too little, when they come one after the other. */
const REJECTED_SHARE = 0.03;

type Shelves = Map<string, number>;

/**
 * What stands on the shelves before the first of these tasks: exactly what they take, except for some codes, drawn with
 * the seed, of which one unit is missing. The last order of such a code is rejected, unless the rejection of another has
 * left goods for it. As many codes are short as it takes to reject 3 % of the orders.
 */
export function openingStockFor(tasks: readonly Task[], seed: number): OpeningStock {
  const shelves = demandOf(tasks);
  const orders = tasks.filter(({ kind }) => kind === "order").length;
  const wanted = Math.max(1, Math.round(orders * REJECTED_SHARE));
  const candidates = shortageCandidates(tasks);
  const random = seededRandom(seed);
  while (candidates.length > 0 && rejections(tasks, shelves) < wanted) {
    for (const code of candidates.splice(Math.floor(random() * candidates.length), 1)) {
      shelves.set(code, (shelves.get(code) ?? 0) - 1);
    }
  }
  return { items: Object.fromEntries(shelves) };
}

/** Goods that come back are no part of it: they may come too late for whoever needs them. */
function demandOf(tasks: readonly Task[]): Shelves {
  const demand: Shelves = new Map();
  for (const { kind, invoice } of tasks) {
    const isTaken = kind === "order" || kind === "write-off";
    for (const { code, quantity } of goodsOf(invoice)) {
      demand.set(code, (demand.get(code) ?? 0) + (isTaken ? quantity : 0));
    }
  }
  return demand;
}

/** Codes that several orders share, all of them to be paid, and that move in no other way: nothing hides a shortage. */
function shortageCandidates(tasks: readonly Task[]): string[] {
  const orders = new Map<string, number>();
  const hidden = new Set<string>();
  const refunded = new Set(tasks.flatMap((task) => (task.kind === "refund" ? [task.orderId] : [])));
  for (const task of tasks) {
    const isSale = task.kind === "order" && task.fate === "paid" && !refunded.has(task.invoice.id);
    for (const { code } of goodsOf(task.invoice)) {
      if (isSale) orders.set(code, (orders.get(code) ?? 0) + 1);
      else hidden.add(code);
    }
  }
  return [...orders].flatMap(([code, count]) => (count > 1 && !hidden.has(code) ? [code] : [])).sort();
}

/** How many orders find too little when the orders come one after the other. */
function rejections(tasks: readonly Task[], opening: Shelves): number {
  const shelves = new Map(opening);
  let rejected = 0;
  for (const { kind, invoice } of tasks) {
    if (kind !== "order") continue;
    const goods = goodsOf(invoice);
    if (goods.some(({ code, quantity }) => (shelves.get(code) ?? 0) < quantity)) rejected++;
    else for (const { code, quantity } of goods) shelves.set(code, (shelves.get(code) ?? 0) - quantity);
  }
  return rejected;
}
