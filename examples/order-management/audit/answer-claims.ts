import { z } from "zod";
import type { Books } from "./books.ts";
import { check, type Check } from "./check.ts";
import { isSameLines } from "./lines.ts";
import { goodsOf } from "./order-claims.ts";
import type { JournalEntry } from "./records.ts";

type Entry<Step extends JournalEntry["step"]> = Extract<JournalEntry, { readonly step: Step }>;

const OK = 200;
const CREATED = 201;
const ACCEPTED = 202;

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
    case "reserve":
      return ofReserve(entry, books);
    case "cancel-reservation":
      return ofCancelReservation(entry, books);
    case "place":
      return ofPlace(entry, books);
    case "cancel-order":
      return ofCancelOrder(entry, books);
    case "return":
    case "write-off":
      return ofTransfer(entry, books);
  }
}

const endSchema = z.object({ status: z.string(), shortOf: z.string().optional() });

function ofReserve({ id, asked, status, ...rest }: Entry<"reserve">, { reservations }: Books): string | undefined {
  const answer = endSchema.safeParse("answer" in rest ? rest.answer : undefined).data;
  const kept = reservations.get(id);
  if (kept === undefined) return "there is no such reservation";
  if (status === CREATED) {
    if (answer?.status !== "reserved") return "it does not say that goods are reserved";
    if (kept.phase !== "committed" && kept.phase !== "released") return `the reservation is ${kept.phase}`;
    return isSameLines(kept.lines, asked.lines) ? undefined : "the reservation has other goods";
  }
  if (answer?.status === "refused") {
    if (kept.phase !== "refused") return `the reservation is ${kept.phase}`;
    return kept.shortOf === answer.shortOf ? undefined : `the reservation was short of ${kept.shortOf}`;
  }
  const isEnded = kept.phase === "released" || kept.phase === "refused";
  return isEnded && answer?.status === kept.reason ? undefined : `the reservation is ${kept.reason ?? kept.phase}`;
}

function ofCancelReservation({ id, status }: Entry<"cancel-reservation">, books: Books): string | undefined {
  if (status !== ACCEPTED) return "it cannot be refused";
  const phase = books.reservations.get(id)?.phase ?? "gone";
  return phase === "released" ? undefined : `the reservation is ${phase}`;
}

function ofPlace({ id, asked, status }: Entry<"place">, { orders }: Books): string | undefined {
  if (status !== ACCEPTED) return "it cannot be refused";
  const order = orders.get(id);
  if (order === undefined) return "there is no such order";
  if (order.reservationId !== asked.reservationId) return "the order has another reservation";
  if (order.value !== asked.value) return `the order's value is £${order.value}`;
  return isSameLines(goodsOf(order), asked.lines) ? undefined : "the order has other goods";
}

function ofCancelOrder(entry: Entry<"cancel-order">, books: Books): string | undefined {
  const order = books.orders.get(entry.asked.orderId);
  if (entry.status === OK) {
    if (order?.cancelledBy !== entry.id) return `order ${entry.asked.orderId} is not cancelled by it`;
    return transferProblem(entry.id, "cancellation", entry.asked.lines, books);
  }
  if (order !== undefined && order.status === "confirmed") return `order ${order.id} is confirmed`;
  return notDone(entry.id, books);
}

function ofTransfer(entry: Entry<"return"> | Entry<"write-off">, books: Books): string | undefined {
  return entry.status === OK
    ? transferProblem(entry.id, entry.step, entry.asked.lines, books)
    : notDone(entry.id, books);
}

function transferProblem(
  id: string,
  kind: string,
  lines: Entry<"return">["asked"]["lines"],
  { transfers }: Books,
): string | undefined {
  const transfer = transfers.get(id);
  if (transfer?.phase !== "done") return `its goods are ${transfer?.phase ?? "not moved"}`;
  if (transfer.kind !== kind) return `it is a ${transfer.kind}`;
  return isSameLines(transfer.lines, lines) ? undefined : "other goods were moved";
}

function notDone(id: string, { transfers }: Books): string | undefined {
  return transfers.get(id)?.phase === "done" ? "its goods were moved" : undefined;
}

/** No order, reservation or movement of goods of its own making. */
export function nothingUnasked({ journal, orders, reservations, transfers }: Books): Check {
  const asked = (...steps: readonly JournalEntry["step"][]): ReadonlySet<string> =>
    new Set(journal.filter(({ step }) => steps.includes(step)).map(({ id }) => id));
  const reserved = asked("reserve", "cancel-reservation");
  const placed = asked("place");
  const moved = asked("cancel-order", "return", "write-off");
  return check(
    "nothing is in the books that the replay did not ask for",
    [
      ...[...orders.keys()].map((id) => ({ id, what: "order", known: placed })),
      ...[...reservations.keys()].map((id) => ({ id, what: "reservation", known: reserved })),
      ...[...transfers.keys()].map((id) => ({ id, what: "transfer", known: moved })),
    ],
    ({ id, what, known }) => (known.has(id) ? undefined : `${id}: nobody asked for this ${what}`),
  );
}
