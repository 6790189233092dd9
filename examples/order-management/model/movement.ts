import { z } from "zod";

/** Lines that one step moves at most: a step is one transaction on as many ETags, and larger ones meet more conflicts. */
export const STEP_LINES_MAX = 20;

const stockLineSchema = z.strictObject({ code: z.string().min(1), quantity: z.int().positive() });

/** Units of one stock code. */
export type StockLine = z.infer<typeof stockLineSchema>;

export const moveRequestSchema = z.strictObject({
  orderId: z.string().min(1),
  direction: z.enum(["out", "in"]),
  /** Each code once; empty where an order has no goods. */
  lines: z.array(stockLineSchema),
});

/** Asks the stock service to take goods from the shelves, or to put them back. */
export type MoveRequest = z.infer<typeof moveRequestSchema>;

export const movementSchema = moveRequestSchema.extend({
  /** `moving` and `undoing` are on their way to `done` and `refused`, which are final. */
  phase: z.enum(["moving", "undoing", "done", "refused"]),
  /** How many of the lines, from the first, have been moved. */
  moved: z.int().nonnegative(),
  /** The code that was short. */
  shortOf: z.string().optional(),
  /** The topic whose event was the first to tell of this order. */
  announcedOn: z.string().optional(),
  /** Deliveries after the first. */
  repeats: z.int().nonnegative(),
});

/** What the stock service keeps of each order: its only record of how far the order has come. */
export type Movement = z.infer<typeof movementSchema>;

export const moveOutcomeSchema = movementSchema.pick({ phase: true, shortOf: true });

/** The stock service's answer to a `MoveRequest`; its phase is final. */
export type MoveOutcome = z.infer<typeof moveOutcomeSchema>;

/** A movement that has not begun. */
export function newMovement(request: MoveRequest): Movement {
  return { ...request, phase: "moving", moved: 0, repeats: 0 };
}

export function isFinal(movement: Movement): boolean {
  return movement.phase === "done" || movement.phase === "refused";
}

/** The lines that the next step touches: forward when moving, backward when undoing, none when final. */
export function linesOfStep(movement: Movement, linesMax: number): StockLine[] {
  const { lines, moved, phase } = movement;
  if (phase === "moving") return lines.slice(moved, moved + linesMax);
  if (phase === "undoing") return lines.slice(Math.max(0, moved - linesMax), moved);
  return [];
}

/** What one step writes; the movement and the shelves must be written together or not at all. */
export interface Step {
  readonly movement: Movement;
  /** The new units on hand of each code that changes. */
  readonly onHand: ReadonlyMap<string, number>;
}

/**
 * The next step of a movement over `lines`, as `linesOfStep` gave them, from the units on hand of their codes. A step out that finds too little
 * moves nothing and turns the movement round: an order gets all of its goods or none.
 */
export function nextStep(movement: Movement, lines: readonly StockLine[], onHand: ReadonlyMap<string, number>): Step {
  const available = (code: string): number => onHand.get(code) ?? 0;
  if (movement.phase === "moving") {
    const out = movement.direction === "out";
    const short = out ? lines.find(({ code, quantity }) => available(code) < quantity) : undefined;
    if (short !== undefined) {
      const phase = movement.moved === 0 ? "refused" : "undoing";
      return { movement: { ...movement, phase, shortOf: short.code }, onHand: new Map() };
    }
    const moved = movement.moved + lines.length;
    return {
      movement: { ...movement, moved, phase: moved === movement.lines.length ? "done" : "moving" },
      onHand: new Map(lines.map(({ code, quantity }) => [code, available(code) + (out ? -quantity : quantity)])),
    };
  }
  if (movement.phase === "undoing") {
    const moved = movement.moved - lines.length;
    return {
      movement: { ...movement, moved, phase: moved === 0 ? "refused" : "undoing" },
      onHand: new Map(lines.map(({ code, quantity }) => [code, available(code) + quantity])),
    };
  }
  throw new Error(`movement ${movement.orderId} is ${movement.phase}: there is no next step`);
}
