import { type Movement, type MovementKind, openBooks, type StockBooks } from "../model/books.ts";
import type { StockLine } from "../model/stock-line.ts";
import { posting } from "../stock/posting.ts";

const AT = "2026-03-02T09:00:00.000Z";

/** Stock actors in memory, with the rules of the real ones. */
export class Shelves {
  readonly books = new Map<string, StockBooks>();
  readonly #movements = new Map<string, Movement>();

  constructor(units: Readonly<Record<string, number>>) {
    for (const [code, count] of Object.entries(units)) this.books.set(code, openBooks(count));
  }

  /** Whether it was done. */
  move(owner: string, kind: MovementKind, { code, quantity }: StockLine): boolean {
    const key = `${code} ${owner}`;
    const books = this.books.get(code) ?? openBooks(0);
    const posted = posting(books, this.#movements.get(key) ?? { entries: [] }, { owner, kind, quantity }, AT);
    if (posted.status === "posted") {
      this.books.set(code, posted.books);
      this.#movements.set(key, posted.movement);
    }
    return posted.status !== "refused";
  }
}
