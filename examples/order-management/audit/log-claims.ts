import type { Books } from "./books.ts";
import { check, type Check } from "./check.ts";
import { POSTINGS } from "./ledger.ts";
import { isSame, summed, type Units, unitsOf } from "./lines.ts";
import { goodsOf } from "./order-claims.ts";
import type { Entry, Order, Transfer } from "./records.ts";

/** The log is written by one actor for each code: its numbers say that no turn has been lost or done twice. */
export function logIsWhole({ log, items, orders, transfers }: Books): Check {
  const owners = new Set([...[...orders.keys()].map(orderOwner), ...[...transfers.keys()].map(transferOwner)]);
  const codes = new Set([...log.keys(), ...items.keys()]);
  return check("the event log has no gap, and no entry without its owner", codes, (code) => {
    const entries = log.get(code) ?? [];
    const due = items.get(code)?.entries ?? 0;
    if (entries.length !== due) return `${code}: ${entries.length} entries instead of ${due}`;
    const gap = entries.findIndex(({ n }, index) => n !== index);
    if (gap !== -1) return `${code}: no entry ${gap}`;
    const foreign = entries.find(({ owner }) => !owners.has(owner));
    if (foreign !== undefined) return `${code}: entry ${foreign.n} is of ${foreign.owner}, which is not there`;
    const unknown = entries.find(({ kind }) => !POSTINGS.has(kind));
    return unknown === undefined ? undefined : `${code}: entry ${unknown.n} is ${unknown.kind}`;
  });
}

/** What is to have become of the goods of an order, by how it ended: the kinds of entries, with all of its lines. */
const SOLD = ["reserve", "sell"];

/** Sold with all of their goods, or given back whole, or taken back: by the log, not by the orders' own word. */
export function goodsWentWithOrders({ orders, log }: Books): Check {
  const entriesOf = byOwner(log);
  return check("the goods of every order went as it did: confirmed ⇔ reserved and sold", orders.values(), (order) => {
    const entries = entriesOf.get(orderOwner(order.id)) ?? [];
    const foreign = entries.find(({ kind }) => ![...SOLD, "release", "refund"].includes(kind));
    return foreign === undefined ? endOfOrder(order, entries) : `${order.id}: has an entry ${foreign.kind}`;
  });
}

function endOfOrder(order: Order, entries: readonly Entry[]): string | undefined {
  const { id, status } = order;
  const due = unitsOf(goodsOf(order.invoice));
  const [taken, givenBack, sold, back] = ["reserve", "release", "sell", "refund"].map((kind) => moved(entries, kind));
  switch (status) {
    case "confirmed":
    case "refunded": {
      if (!isSame(taken!, due)) return `${id}: ${status} without all of its goods reserved`;
      if (!isSame(sold!, due)) return `${id}: ${status}, its goods not sold once`;
      if (givenBack!.size > 0) return `${id}: sold and released`;
      const dueBack = status === "refunded" && order.refund !== undefined ? unitsOf(goodsOf(order.refund)) : new Map();
      return isSame(back!, dueBack) ? undefined : `${id}: ${status}, its goods not taken back as they should be`;
    }
    case "rejected":
    case "cancelled":
    case "expired":
      if (sold!.size > 0) return `${id}: ${status} and sold`;
      return isSame(givenBack!, taken!) ? undefined : `${id}: ${status}, yet it still holds goods`;
    default:
      return `${id}: still ${status}`;
  }
}

export function transfersEndedOnce({ transfers, log }: Books): Check {
  const entriesOf = byOwner(log);
  return check("every return and write-off ended exactly once", transfers.values(), ({ id, kind, status, lines }) => {
    const entries = entriesOf.get(transferOwner(id)) ?? [];
    const kinds = kind === "return" ? ["return"] : ["reserve", "release", "write-off"];
    const foreign = entries.find((entry) => !kinds.includes(entry.kind));
    if (foreign !== undefined) return `${id}: a ${kind} that has an entry ${foreign.kind}`;
    const [taken, givenBack, done] = ["reserve", "release", kind].map((one) => moved(entries, one));
    if (status !== "done" && status !== "refused") return `${id}: still ${status}`;
    if (!isSame(done!, status === "done" ? unitsOf(lines) : new Map()))
      return `${id}: ${status}, its goods not moved so`;
    const held = status === "done" && kind === "write-off" ? done! : givenBack!;
    return isSame(taken!, held) ? undefined : `${id}: ${status}, yet it still holds goods`;
  });
}

function byOwner(log: Books["log"]): Map<string, Entry[]> {
  return Map.groupBy([...log.values()].flat(), ({ owner }) => owner);
}

/** What the entries of one kind have moved. */
function moved(entries: readonly Entry[], kind: string): Units {
  return summed(entries.filter((entry) => entry.kind === kind).map((entry) => [entry, 1] as const));
}

function orderOwner(id: Order["id"]): string {
  return `order:${id}`;
}

function transferOwner(id: Transfer["id"]): string {
  return `transfer:${id}`;
}
