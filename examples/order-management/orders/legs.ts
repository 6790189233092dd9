import type { MovementKind } from "../model/books.ts";
import type { StockLine } from "../model/stock-line.ts";

/** What is to be done with the goods in one status, and the status after that. */
export interface Leg<Status> {
  readonly kind: MovementKind;
  readonly next: Status;
  /** Where one of the codes is short; undefined for what cannot be. */
  readonly short?: Status;
}

/** How a leg ended. */
export interface Arrival<Status> {
  readonly status: Status;
  readonly shortOf?: string;
}

/**
 * Moves goods at the actors of their stock codes. @returns the first code that was short, if one was; then some of the
 * others may have been moved, and some not. It may be done any number of times.
 */
export type MoveGoods = (kind: MovementKind, lines: readonly StockLine[]) => Promise<string | undefined>;

/** Goes one leg to its end. */
export async function arrivalOf<Status>(
  leg: Leg<Status>,
  lines: readonly StockLine[],
  move: MoveGoods,
): Promise<Arrival<Status>> {
  const shortOf = await move(leg.kind, lines);
  if (shortOf === undefined) return { status: leg.next };
  if (leg.short === undefined) throw new Error(`${leg.kind}: ${shortOf} was refused`);
  return { status: leg.short, shortOf };
}
