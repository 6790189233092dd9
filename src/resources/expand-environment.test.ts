import { expect, it } from "vitest";
import { expandEnvironment } from "./expand-environment.ts";

const environment = { A: "one", A_1: "two", "with space": "three", EMPTY: "", DOLLAR: "$A" };
const braced = (name: string): string => `$${"{"}${name}}`;

/** Right-hand sides come from Go's os.Expand with the same variables. */
it.each([
  ["nothing here", "nothing here"],
  ["$A", "one"],
  ["$A_1.", "two."],
  ["$A-b", "one-b"],
  ["$AB", ""],
  [`x${braced("A")}y`, "xoney"],
  [`x${braced("with space")}y`, "xthreey"],
  [`x${braced("EMPTY")}y`, "xy"],
  ["x$DOLLAR", "x$A"],
  ["cost: 5$", "cost: 5$"],
  ["$ A", "$ A"],
  ["$.A", "$.A"],
  ["$$A", "A"],
  ["$1x", "x"],
  ["$?x", "x"],
  [`${braced("1")}x`, "x"],
  [`${braced("")}x`, "x"],
  [`$${"{"}A`, "A"],
  ["$A$A", "oneone"],
])("%s", (text, expanded) => {
  expect(expandEnvironment(text, environment)).toBe(expanded);
});
