import { expect, it } from "vitest";
import { InvalidQuantityError, parseQuantity } from "./quantity.ts";

const NO_MATCH = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

it.each([
  ["0", 0],
  ["500", 500],
  ["4Mi", 4_194_304],
  ["4Ki", 4_096],
  ["1G", 1_000_000_000],
  ["1.5G", 1_500_000_000],
  ["1.5Ki", 1_536],
  ["2e3", 2_000],
  ["2E3", 2_000],
  ["1E", 1e18],
  ["10e-1", 1],
  ["1000m", 1],
  ["-1", -1],
  ["+7k", 7_000],
  ["1.Mi", 1_048_576],
])("reads %j", (text, bytes) => {
  expect(parseQuantity(text)).toBe(bytes);
});

it.each([
  ["", NO_MATCH],
  ["four", NO_MATCH],
  ["4 Mi", NO_MATCH],
  ["4MB", NO_MATCH],
  ["4MM", "unable to parse quantity's suffix"],
  ["4mi", "unable to parse quantity's suffix"],
  ["1e", "unable to parse quantity's suffix"],
  ["1e999999999", "unable to parse quantity's suffix"],
  ["Mi", "unable to parse numeric part of quantity"],
  ["100m", "cannot get bytes from resource quantity value '100m'"],
  ["8Ei", "cannot get bytes from resource quantity value '8Ei'"],
])("refuses %j", (text, message) => {
  expect(() => parseQuantity(text)).toThrow(new InvalidQuantityError(message));
});
