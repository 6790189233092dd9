import { isCovered, openItem, post, type StockEventKind, type StockItem } from "../model/books.ts";
import type { StockLine } from "../model/stock-line.ts";

/** What reservations and transfers have in common: lines that are moved a few at a time. */
export interface Moving {
  readonly lines: readonly StockLine[];
  readonly moved: number;
  readonly entries: number;
}

/** What the lines of a phase are moved by; backward takes the last ones first and counts `moved` down to 0. */
export interface Way {
  readonly kind: StockEventKind;
  readonly backward: boolean;
}

/** The phases of one kind of record. */
export interface Course<Owner extends Moving> {
  /** Undefined in a phase that moves nothing. */
  way(owner: Owner): Way | undefined;
  /** The owner after the last line of its phase. */
  arrived(owner: Owner): Owner;
  /** The owner after it found too little of a code; undefined in phases to which that cannot happen. */
  short(owner: Owner, code: string): Owner | undefined;
}

/** What one step writes: all of it or nothing. */
export interface Step<Owner> {
  readonly owner: Owner;
  /** The new books of each code that changes. */
  readonly items: ReadonlyMap<string, StockItem>;
  /** What goes into the event log; undefined when nothing was moved. */
  readonly entry: { readonly kind: StockEventKind; readonly lines: readonly StockLine[] } | undefined;
}

/** The lines that the next step of a way touches, the first to be touched first: fewer lines are always a beginning of more. */
export function linesOfStep({ lines, moved }: Moving, { backward }: Way, linesMax: number): StockLine[] {
  if (backward) return lines.slice(Math.max(0, moved - linesMax), moved).toReversed();
  return lines.slice(moved, moved + linesMax);
}

/**
 * The next step of a way over `lines`, as `linesOfStep` gave them, from the books of their codes. One code short moves
 * nothing at all.
 */
export function stepOf<Owner extends Moving>(
  course: Course<Owner>,
  owner: Owner,
  way: Way,
  lines: readonly StockLine[],
  books: ReadonlyMap<string, StockItem>,
): Step<Owner> {
  const items = new Map<string, StockItem>();
  for (const { code, quantity } of lines) {
    const item = post(books.get(code) ?? openItem(0), way.kind, quantity);
    if (!isCovered(item)) {
      const short = course.short(owner, code);
      if (short === undefined) throw new Error(`${way.kind} of ${quantity} ${code} would leave its books below zero`);
      return { owner: short, items: new Map(), entry: undefined };
    }
    items.set(code, item);
  }
  const moved = owner.moved + (way.backward ? -lines.length : lines.length);
  const after = { ...owner, moved, entries: owner.entries + (lines.length === 0 ? 0 : 1) };
  return {
    owner: moved === (way.backward ? 0 : owner.lines.length) ? course.arrived(after) : after,
    items,
    entry: lines.length === 0 ? undefined : { kind: way.kind, lines },
  };
}
