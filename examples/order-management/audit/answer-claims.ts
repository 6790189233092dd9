import { z } from "zod";
import type { Books } from "./books.ts";
import { check, type Check } from "./check.ts";
import { isSameLines } from "./lines.ts";
import { goodsOf, wasConfirmed } from "./order-claims.ts";
import type { JournalEntry } from "./records.ts";

type Line<Step extends JournalEntry["step"]> = Extract<JournalEntry, { readonly step: Step }>;

const OK = 200;
const CREATED = 201;
const ACCEPTED = 202;

const UNSOLD_ENDS: readonly string[] = ["rejected", "cancelled", "expired"];

export function everythingAnswered({ journal }: Books): Check {
  const { claim, examined, problems } = check("every request was answered", journal, (entry) =>
    "error" in entry ? `${entry.id}: ${entry.step}: ${entry.error}` : undefined,
  );
  // Books of nothing would be in order.
  return { claim, examined, problems: examined === 0 ? ["journal: it is empty"] : problems };
}

/** What was promised is kept, and what was refused did not happen. */
export function answersAreInBooks(books: Books): Check {
  const answered = books.journal.filter((entry) => !("error" in entry));
  return check("every answer that was given is in the books", answered, (entry) => {
    const wrong = contradiction(entry, books);
    return wrong === undefined ? undefined : `${entry.id}: ${entry.step} answered ${entry.status}, but ${wrong}`;
  });
}

function contradiction(entry: JournalEntry, books: Books): string | undefined {
  switch (entry.step) {
    case "open":
      return entry.status === OK ? undefined : "the replay went on";
    case "place":
      return ofPlace(entry, books);
    case "pay":
      return ofPay(entry, books);
    case "cancel":
      return ofCancel(entry, books);
    case "refund":
      return ofRefund(entry, books);
    case "return":
    case "write-off":
      return ofTransfer(entry, books);
  }
}

const endSchema = z.object({ status: z.string(), shortOf: z.string().optional() });

function ofPlace({ id, asked, status, ...rest }: Line<"place">, { orders }: Books): string | undefined {
  const answer = endSchema.safeParse("answer" in rest ? rest.answer : undefined).data;
  const order = orders.get(id);
  if (order === undefined) return "there is no such order";
  if (status !== CREATED) {
    const isSame = answer?.status === order.status && answer.shortOf === order.shortOf;
    return UNSOLD_ENDS.includes(order.status) && isSame ? undefined : `the order is ${order.status}`;
  }
  if (!order.history.some((step) => step.status === "reserved")) return "its goods were never reserved";
  if (order.value !== asked.value) return `the order's value is £${order.value}`;
  return isSameLines(goodsOf(order.invoice), asked.lines) ? undefined : "the order has other goods";
}

function ofPay({ id, status }: Line<"pay">, { orders }: Books): string | undefined {
  const order = orders.get(id);
  if (order === undefined) return "there is no such order";
  const isRight = status === ACCEPTED ? wasConfirmed(order) : UNSOLD_ENDS.includes(order.status);
  return isRight ? undefined : `the order is ${order.status}`;
}

function ofCancel({ id, status, ...rest }: Line<"cancel">, { orders }: Books): string | undefined {
  const answer = endSchema.safeParse("answer" in rest ? rest.answer : undefined).data;
  const order = orders.get(id);
  if (status !== OK) return "it cannot be refused before it is paid";
  return order !== undefined && answer?.status === order.status && UNSOLD_ENDS.includes(order.status)
    ? undefined
    : `the order is ${order?.status ?? "gone"}`;
}

function ofRefund({ id, asked, status }: Line<"refund">, { orders }: Books): string | undefined {
  const order = orders.get(asked.orderId);
  if (status !== OK) {
    if (order?.refundedBy === id) return `order ${order.id} is refunded by it`;
    return order?.status === "confirmed" ? `order ${order.id} is confirmed` : undefined;
  }
  if (order?.status !== "refunded" || order.refundedBy !== id) return `order ${asked.orderId} is not refunded by it`;
  const isSame = order.refund !== undefined && isSameLines(goodsOf(order.refund), asked.lines);
  return isSame ? undefined : "other goods were taken back";
}

function ofTransfer({ id, step, asked, status }: Line<"return"> | Line<"write-off">, { transfers }: Books) {
  const transfer = transfers.get(id);
  if (status !== OK) return transfer?.status === "done" ? "its goods were moved" : undefined;
  if (transfer?.status !== "done") return `its goods are ${transfer?.status ?? "not moved"}`;
  if (transfer.kind !== step) return `it is a ${transfer.kind}`;
  return isSameLines(transfer.lines, asked.lines) ? undefined : "other goods were moved";
}

/** No order and no movement of goods of its own making. */
export function nothingUnasked({ journal, orders, transfers }: Books): Check {
  const asked = (...steps: readonly JournalEntry["step"][]): ReadonlySet<string> =>
    new Set(journal.filter(({ step }) => steps.includes(step)).map(({ id }) => id));
  const placed = asked("place");
  const moved = asked("return", "write-off");
  const refunded = asked("refund");
  return check(
    "nothing is in the books that the replay did not ask for",
    [
      ...[...orders.keys()].map((id) => ({ id, what: "order", known: placed })),
      ...[...orders.values()].flatMap(({ refundedBy: id }) =>
        id === undefined ? [] : [{ id, what: "refund", known: refunded }],
      ),
      ...[...transfers.keys()].map((id) => ({ id, what: "transfer", known: moved })),
    ],
    ({ id, what, known }) => (known.has(id) ? undefined : `${id}: nobody asked for this ${what}`),
  );
}
