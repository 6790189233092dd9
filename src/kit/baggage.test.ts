import { expect, test } from "vitest";
import { baggageFault } from "./baggage.ts";

test.each([
  "",
  "key1=value1,key2=value2",
  " key1 = value1 ; p1 ; p2 = v , key2=a=b ",
  "key=%20d%C3%A9",
  "key=",
  "key=value;",
  Array.from({ length: 64 }, (_, index) => `k${index}=v`).join(","),
])("%j keeps the rules", (text) => {
  expect(baggageFault(text)).toBeUndefined();
});

// The texts are those of the library in Dapr 1.18.3.
test.each([
  ["broken", 'invalid baggage list-member: "broken"'],
  ["a=1,b", 'invalid baggage list-member: "b"'],
  ["=1", 'invalid key: ""'],
  ["a b=1", 'invalid key: "a b"'],
  ['a="1"', 'invalid value: "\\"1\\""'],
  ["a=1;p q", 'invalid baggage list-member property: "p q"'],
  [
    "a,b,c,d,e,f,g=1",
    `${["a", "b", "c", "d", "e"].map((one) => `invalid baggage list-member: "${one}"`).join("\n")}\nand 1 more invalid member(s)`,
  ],
  [`a=${"x".repeat(8191)}`, "baggage-string too large: 8193"],
  [Array.from({ length: 65 }, (_, index) => `k${index}=v`).join(","), "too many list-members in baggage-string"],
])("%j is refused", (text, fault) => {
  expect(baggageFault(text)).toBe(fault);
});
