import { type Movement, movementSchema, openBooks, type StockBooks, stockBooksSchema } from "../model/books.ts";
import { BOOKS_STATE, movementState } from "../model/names.ts";
import { nothingSchema } from "../model/nothing.ts";
import {
  type AvailabilityAnswer,
  type MoveAnswer,
  moveRequestSchema,
  type OpenAnswer,
  openRequestSchema,
  type StockCommands,
} from "../model/stock-commands.ts";
import { TurnActor } from "../sdk/turn-actor.ts";
import { posting } from "./posting.ts";

/**
 * The books of one stock code. Its turns come one by one, so nobody else takes what a turn has seen on the shelf; each
 * writes the books and the owner's entry with one transaction. The name of the class is the actor type.
 */
export class StockActor extends TurnActor implements StockCommands {
  async open(request: unknown): Promise<OpenAnswer> {
    return await this.turn("open", openRequestSchema, request, async ({ units }) => {
      if ((await this.#books()) !== undefined) return { opened: false };
      await this.write({ [BOOKS_STATE]: openBooks(units) });
      return { opened: true };
    });
  }

  async move(request: unknown): Promise<MoveAnswer> {
    return await this.turn("move", moveRequestSchema, request, async (move) => {
      const key = movementState(move.owner);
      // A code that nobody has put on a shelf has nothing on hand.
      const books = (await this.#books()) ?? openBooks(0);
      const movement: Movement = (await this.read(key, movementSchema)) ?? { entries: [] };
      const posted = posting(books, movement, move, new Date().toISOString());
      if (posted.status === "posted") await this.write({ [BOOKS_STATE]: posted.books, [key]: posted.movement });
      return { status: posted.status === "refused" ? "refused" : "done" };
    });
  }

  async availability(request: unknown): Promise<AvailabilityAnswer> {
    return await this.turn("availability", nothingSchema, request, async () => {
      const books = await this.#books();
      return { item: books === undefined ? null : { code: this.name, onHand: books.onHand, reserved: books.reserved } };
    });
  }

  async #books(): Promise<StockBooks | undefined> {
    return await this.read(BOOKS_STATE, stockBooksSchema);
  }

  protected override async carryOn(): Promise<void> {
    // It sets no reminder.
  }
}
