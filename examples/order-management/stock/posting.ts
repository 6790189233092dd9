import { isCovered, type Movement, type MovementKind, post, type StockBooks } from "../model/books.ts";
import type { MoveRequest } from "../model/stock-commands.ts";

/** What an owner must have done to the units before, as its last entry; undefined: nothing at all. */
const AFTER: Readonly<Record<MovementKind, MovementKind | undefined>> = {
  reserve: undefined,
  release: "reserve",
  sell: "reserve",
  "write-off": "reserve",
  refund: "sell",
  return: undefined,
};

/** What becomes of the books; `refused` and `repeated` change nothing. */
export type Posting =
  | { readonly status: "posted"; readonly books: StockBooks; readonly movement: Movement }
  | { readonly status: "refused" | "repeated" };

/**
 * Moves units of one code. An owner does each kind once: the second time, nothing is left to be done. What comes too
 * late, because the owner has given up what it asked for, is refused: a request to reserve may arrive after the release.
 * @throws Error for an operation that nobody should have asked for
 */
export function posting(
  books: StockBooks,
  { entries }: Movement,
  { owner, kind, quantity: asked }: MoveRequest,
  at: string,
): Posting {
  if (entries.some((entry) => entry.kind === kind)) return { status: "repeated" };
  const last = entries.at(-1);
  const isVoid = kind === "release" && last === undefined;
  if (kind === "reserve" && last?.kind === "release") return { status: "refused" };
  if (last?.kind !== AFTER[kind] && !isVoid) throw new Error(`${owner}: ${kind} after ${last?.kind ?? "nothing"}`);

  // Released is what was reserved, be it nothing.
  const quantity = kind === "release" ? (last?.quantity ?? 0) : asked;
  if (kind !== "return" && !isVoid && quantity > (last?.quantity ?? quantity)) {
    throw new Error(`${owner}: ${kind} of ${quantity} after ${last?.kind} of ${last?.quantity}`);
  }
  const after = post(books, kind, quantity);
  if (!isCovered(after)) {
    if (kind === "reserve") return { status: "refused" };
    throw new Error(`${owner}: ${kind} of ${quantity} would leave the books below zero`);
  }
  return {
    status: "posted",
    books: after,
    movement: { entries: [...entries, { n: books.entries, kind, quantity, at }] },
  };
}
