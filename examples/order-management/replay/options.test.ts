import { expect, it } from "vitest";
import { parseOptions, UsageError } from "./options.ts";

it("has defaults", () => {
  expect(parseOptions([])).toEqual({
    once: false,
    orders: [],
    channels: 8,
    ratePerSecond: undefined,
    seed: 1,
    separateSidecars: false,
    runFile: undefined,
  });
});

it("takes files as a shell expands them", () => {
  const options = parseOptions(["--once", "--orders", "a.csv", "b.csv", "--orders", "c.csv", "--channels", "16"]);
  expect(options).toMatchObject({ once: true, channels: 16 });
  expect([...options.orders].sort()).toEqual(["a.csv", "b.csv", "c.csv"]);
});

it("takes what tests and kills need", () => {
  expect(parseOptions(["--rate", "3", "--separate-sidecars", "--run-file", "a.yaml"])).toMatchObject({
    ratePerSecond: 3,
    separateSidecars: true,
    runFile: "a.yaml",
  });
});

it.each([
  [["a.csv"]],
  [["--nonsense"]],
  [["--channels", "0"]],
  [["--channels", "65"]],
  [["--seed", "1.5"]],
  [["--rate", "0"]],
  [["--run-file"]],
  [["--orders"]],
])("refuses %j", (args) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
});
