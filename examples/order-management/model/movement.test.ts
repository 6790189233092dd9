import { expect, it } from "vitest";
import {
  isFinal,
  linesOfStep,
  type Movement,
  type MoveRequest,
  newMovement,
  nextStep,
  STEP_LINES_MAX,
} from "./movement.ts";

/** Codes `00001` on, one unit of each. */
function lines(count: number): MoveRequest["lines"] {
  return Array.from({ length: count }, (_, index) => ({ code: String(index + 1).padStart(5, "0"), quantity: 1 }));
}

/** Walks a movement to its end over shelves that nobody else touches; says how many steps that took. */
function walk(request: MoveRequest, shelves: Map<string, number>): { movement: Movement; steps: number } {
  let movement = newMovement(request);
  let steps = 0;
  while (!isFinal(movement)) {
    const step = nextStep(movement, linesOfStep(movement, STEP_LINES_MAX), shelves);
    for (const [code, units] of step.onHand) shelves.set(code, units);
    movement = step.movement;
    steps++;
  }
  return { movement, steps };
}

it("takes goods out", () => {
  const shelves = new Map([
    ["a", 5],
    ["b", 2],
  ]);
  const request: MoveRequest = {
    orderId: "1",
    direction: "out",
    lines: [
      { code: "a", quantity: 3 },
      { code: "b", quantity: 2 },
    ],
  };
  expect(walk(request, shelves)).toMatchObject({ movement: { phase: "done", moved: 2 }, steps: 1 });
  expect(Object.fromEntries(shelves)).toEqual({ a: 2, b: 0 });
});

it("puts goods back, also of codes it has never had", () => {
  const shelves = new Map<string, number>();
  const request: MoveRequest = { orderId: "C1", direction: "in", lines: [{ code: "a", quantity: 3 }] };
  expect(walk(request, shelves).movement.phase).toBe("done");
  expect(shelves.get("a")).toBe(3);
});

it("is done at once without goods", () => {
  expect(walk({ orderId: "1", direction: "out", lines: [] }, new Map())).toMatchObject({
    movement: { phase: "done", moved: 0 },
    steps: 1,
  });
});

it("moves a large order in steps", () => {
  const request: MoveRequest = { orderId: "1", direction: "out", lines: lines(2 * STEP_LINES_MAX + 1) };
  const shelves = new Map(request.lines.map(({ code }) => [code, 1]));
  expect(walk(request, shelves)).toMatchObject({ movement: { phase: "done" }, steps: 3 });
  expect([...shelves.values()].every((units) => units === 0)).toBe(true);
});

it("gives everything back when a later step finds too little", () => {
  const request: MoveRequest = { orderId: "1", direction: "out", lines: lines(2 * STEP_LINES_MAX + 1) };
  const shelves = new Map(request.lines.map(({ code }) => [code, 1]));
  const last = request.lines.at(-1)!.code;
  shelves.set(last, 0);
  const before = new Map(shelves);
  // Two steps forward, one that finds too little, two back.
  expect(walk(request, shelves)).toMatchObject({ movement: { phase: "refused", moved: 0, shortOf: last }, steps: 5 });
  expect(shelves).toEqual(before);
});

it("refuses a small order without moving anything", () => {
  const request: MoveRequest = { orderId: "1", direction: "out", lines: lines(2) };
  const step = nextStep(newMovement(request), request.lines, new Map([["00001", 1]]));
  expect(step.movement).toMatchObject({ phase: "refused", shortOf: "00002" });
  expect(step.onHand.size).toBe(0);
});

it("has no step after the last", () => {
  const movement: Movement = { ...newMovement({ orderId: "1", direction: "out", lines: [] }), phase: "done" };
  expect(() => nextStep(movement, [], new Map())).toThrow("movement 1 is done");
});
