import fc from "fast-check";
import { expect, it } from "vitest";
import {
  binaryOfTraceparent,
  isTraceparent,
  isTracestate,
  traceContextOf,
  traceparentOfBinary,
} from "./trace-context.ts";

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom("0", "1", "7", "9", "a", "e", "f"), minLength: length, maxLength: length });
const ids = fc
  .tuple(hex(32), hex(16), hex(2))
  .filter(([trace, span]) => /[^0]/.test(trace) && /[^0]/.test(span))
  .map((parts) => `00-${parts.join("-")}`);
/** Something near the form, so that its edges are met. */
const nearly = fc.tuple(ids, fc.nat(60), fc.string({ unit: "binary", maxLength: 3 })).map(([text, at, other]) => {
  return text.slice(0, at) + other + text.slice(at + other.length);
});

it("every traceparent of this version survives the binary form", () => {
  fc.assert(
    fc.property(ids, (text) => {
      expect(isTraceparent(text)).toBe(true);
      expect(traceparentOfBinary(binaryOfTraceparent(text) ?? "")).toBe(text);
    }),
  );
});

it("what is accepted can be sent on as it is", () => {
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: "binary" })), fc.string({ unit: "binary" }), (parent, state) => {
      const context = traceContextOf(parent, state);
      if (context !== undefined) {
        expect(context.traceparent).toMatch(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
        expect(parent.startsWith(context.traceparent)).toBe(true);
        expect(context.tracestate === "" || context.tracestate === state).toBe(true);
        expect(context.tracestate).toMatch(/^[\t\x20-\x7e]*$/);
      }
    }),
  );
});

it("any bytes can be asked whether they are a trace", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const traceparent = traceparentOfBinary(Buffer.from(bytes).toString("base64"));
      expect(traceparent === undefined || isTraceparent(traceparent)).toBe(true);
    }),
  );
});

it("a tracestate of members with names of their own keeps the rules", () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_*/-]{0,20}$/);
  const value = fc.stringMatching(/^[!-+\--<>-~]{1,20}$/);
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { minLength: 1, maxLength: 32 }),
      fc.array(value, { minLength: 32, maxLength: 32 }),
      (keys, values) => {
        expect(isTracestate(keys.map((one, index) => `${one}=${values[index]}`).join(","))).toBe(true);
      },
    ),
  );
});
