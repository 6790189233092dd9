import fc from "fast-check";
import { expect, test } from "vitest";
import { ComponentError } from "../spi/errors.ts";
import { messageOf, publishParams } from "./pubsub-message.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const BACKLOG = 10;
const timeNames = /^(deliverat|delayinseconds|ttl|ttlinseconds)$/i;

const metadata = fc.dictionary(
  fc.string().filter((name) => !timeNames.test(name)),
  fc.string(),
  { maxKeys: 5, noNullPrototype: true },
);

test("a message comes out as it went in", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.option(fc.string(), { nil: undefined }), metadata, (data, contentType, fields) => {
      const params = publishParams({ topic: "t", data, contentType, metadata: fields }, NOW_MS, BACKLOG);
      const [topic, stored, type, text, publishedMs, deliverMs, expiresMs, messagesMax] = params;
      expect([topic, publishedMs, deliverMs, expiresMs, messagesMax]).toEqual(["t", NOW_MS, null, null, BACKLOG]);
      const message = messageOf("t", [stored ?? null, type ?? null, text ?? null, null]);
      expect(message).toEqual({ topic: "t", data, contentType, metadata: fields });
    }),
  );
});

const anyTime = fc.oneof(
  fc.string(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.integer().map(String),
  fc.float({ noNaN: true }).map(String),
  fc.constantFrom("1h", "-1m", "9999999999999999999", "1e9", "0", "+5", "2026-01-02T03:04:06+23:59"),
);

test.each(["deliverAt", "delayInSeconds", "ttlInSeconds", "ttl"])(
  "%s with any text is refused, or gives a whole time that SQLite and a date can hold",
  (name) => {
    fc.assert(
      fc.property(anyTime, (text) => {
        const request = { topic: "t", data: new Uint8Array(), contentType: undefined, metadata: { [name]: text } };
        try {
          const params = publishParams(request, NOW_MS, BACKLOG);
          for (const ms of [params[5], params[6]]) {
            expect(ms === null || (Number.isSafeInteger(ms) && new Date(Number(ms)).getTime() === ms)).toBe(true);
          }
          expect(params[5] === null || Number(params[5]) > NOW_MS).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ComponentError);
          expect(error).toMatchObject({ kind: "invalidRequest" });
        }
      }),
      { numRuns: 500 },
    );
  },
);
