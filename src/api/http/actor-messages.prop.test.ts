import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeActorOperations, decodeTick } from "./actor-messages.ts";
import { JsonBodyError } from "./json-decoder.ts";

const text = fc.string({ unit: "binary" });
const member = fc.record(
  {
    operation: fc.constantFrom("upsert", "delete", "other", ""),
    request: fc.record({ key: text, value: fc.jsonValue(), etag: text }, { requiredKeys: ["key"] }),
  },
  { requiredKeys: [] },
);

test("what JSON.parse reads of operations, the decoder reads too, value by value", () => {
  fc.assert(
    fc.property(fc.array(member), (operations) => {
      const decoded = decodeActorOperations(Buffer.from(JSON.stringify(operations)));
      expect(decoded).toHaveLength(operations.length);
      for (const [index, { operation, request }] of operations.entries()) {
        const one = decoded[index];
        if (one?.kind === "upsert") {
          expect([operation, one.key, one.etag]).toEqual(["upsert", request?.key, request?.etag]);
          expect(JSON.parse(Buffer.from(one.value).toString())).toEqual(
            JSON.parse(JSON.stringify(request?.value ?? null)),
          );
        } else if (one?.kind === "delete") {
          expect([operation, one.key]).toEqual(["delete", request?.key]);
        } else {
          expect(request === undefined || (operation !== "upsert" && operation !== "delete")).toBe(true);
        }
      }
    }),
  );
});

test.each([
  ["operations", decodeActorOperations],
  ["timers", decodeTick],
] as const)("bytes that are no body of %s are refused as such, whatever they are", (_, decode) => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.json().map((json) => Buffer.from(json)),
    fc.json().map((json) => Buffer.from(json.slice(0, -1))),
  );
  fc.assert(
    fc.property(bytes, (body) => {
      try {
        decode(body);
      } catch (error) {
        expect(error).toBeInstanceOf(JsonBodyError);
      }
    }),
  );
});
