import fc from "fast-check";
import { expect, it } from "vitest";
import { plainDecimal } from "./go-syntax.ts";
import { writeFloat4, writeFloat8, writeNumeric } from "./scalars.ts";
import { writeTimestamp } from "./times.ts";

/** Go's texts read back as the number they stand for, and only the sign of zero is more than JavaScript writes. */
it("floats are written so that they read back the same", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      expect(Object.is(Number(writeFloat8(bytes)), value)).toBe(true);
      expect(Object.is(Number(plainDecimal(value)), value)).toBe(true);
      expect(plainDecimal(value)).not.toContain("e");
    }),
  );
});

it("a float4 is written with the fewest digits that name it", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatBE(value);
      const text = writeFloat4(bytes);
      expect(Object.is(Math.fround(Number(text)), value)).toBe(true);
      const digits = text
        .replace(/e.*$/, "")
        .replace(/[-.]/g, "")
        .replace(/^0+|0+$/g, "");
      expect(digits.length).toBeLessThanOrEqual(9);
    }),
  );
});

/** What the server sends for a decimal text, made the slow way. */
function numericBytes(whole: string, fraction: string, negative: boolean): Buffer {
  const paddedWhole = whole.padStart(Math.ceil(whole.length / 4) * 4, "0");
  const paddedFraction = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, "0");
  const groups = (paddedWhole + paddedFraction).match(/.{4}/g)?.map(Number) ?? [];
  let weight = paddedWhole.length / 4 - 1;
  while (groups[0] === 0) {
    groups.shift();
    weight -= 1;
  }
  while (groups.at(-1) === 0) {
    groups.pop();
  }
  const bytes = Buffer.alloc(8 + 2 * groups.length);
  bytes.writeInt16BE(groups.length, 0);
  bytes.writeInt16BE(groups.length === 0 ? 0 : weight, 2);
  bytes.writeUInt16BE(negative ? 0x4000 : 0, 4);
  bytes.writeUInt16BE(fraction.length, 6);
  groups.forEach((group, index) => bytes.writeInt16BE(group, 8 + 2 * index));
  return bytes;
}

it("a numeric keeps every digit", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "2", "5", "9"), maxLength: 40 });
  fc.assert(
    fc.property(digits, digits, fc.boolean(), (whole, fraction, negative) => {
      const isZero = /^0*$/.test(whole + fraction);
      const plain = (whole.replace(/^0+/, "") || "0") + (fraction === "" ? "" : `.${fraction}`);
      expect(writeNumeric(numericBytes(whole, fraction, negative && !isZero))).toBe(
        isZero ? "0" : (negative ? "-" : "") + plain,
      );
    }),
  );
});

it("a timestamp names its microsecond", () => {
  const [min, max] = [Date.UTC(1, 0, 1), Date.UTC(9999, 11, 31)];
  fc.assert(
    fc.property(fc.integer({ min, max }), fc.integer({ min: 0, max: 999 }), (ms, micros) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE((BigInt(ms) - BigInt(Date.UTC(2000, 0, 1))) * 1_000n + BigInt(micros));
      const text = JSON.parse(writeTimestamp(bytes)) as string;
      expect(new Date(text).getTime()).toBe(ms);
      const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? "";
      expect(fraction.padEnd(6, "0").slice(3)).toBe(String(micros).padStart(3, "0"));
      expect(fraction.endsWith("0")).toBe(false);
    }),
  );
});
