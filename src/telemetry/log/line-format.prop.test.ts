import fc from "fast-check";
import { expect, it } from "vitest";
import { jsonFormat, textFormat } from "./line-format.ts";

const IDENTITY = { appId: "shop", instance: "host", scope: "dapr.runtime", version: "1.18.3" };

/** What an attacker would send: anything, and often what ends lines, quotes or terminals' patience. */
const HOSTILE = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("\n", "\r", "\u001b[2J", '"', "\\", "=", " ", "\u2028", "\u0085", "\0", "a", "\ud800"),
  }),
  fc.string().map((text) => `${text}\ntime="2026-01-01T00:00:00Z" level=fatal msg="forged"`),
);
const FIELDS = fc.dictionary(
  fc.constantFrom("useragent", "method", "code", "time", "level", "msg", "scope"),
  fc.oneof(HOSTILE, fc.integer(), fc.boolean()),
);

it("text: whatever is logged makes one line, without a control character, of which each value can be read back", () => {
  const format = textFormat(IDENTITY);
  fc.assert(
    fc.property(HOSTILE, FIELDS, (message, fields) => {
      const line = format("info", "2026-01-01T00:00:00Z", message, fields);
      expect(line.endsWith("\n")).toBe(true);
      // oxlint-disable-next-line no-control-regex -- control characters are what must not come through
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      // Bare words and quoted ones, and nothing between them: no value breaks out of its quotes.
      expect(line).toMatch(/^time="[^"]*" level=info( [A-Za-z_.]+=("([^"\\]|\\.)*"|[A-Za-z0-9\-._/@^+]*))+\n$/);
      expect(line.match(/ level=/g)?.length).toBeGreaterThanOrEqual(1);
    }),
  );
});

it("JSON: whatever is logged makes one line that parses to what was logged", () => {
  const format = jsonFormat(IDENTITY);
  fc.assert(
    fc.property(HOSTILE, FIELDS, (message, fields) => {
      const line = format("warn", "2026-01-01T00:00:00Z", message, fields);
      expect(line.indexOf("\n")).toBe(line.length - 1);
      // oxlint-disable-next-line no-control-regex -- control characters are what must not come through
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u2028\u2029]/);
      const parsed = JSON.parse(line) as Record<string, unknown>;
      expect(parsed["msg"]).toBe(message);
      expect(parsed["level"]).toBe("warning");
      expect(parsed["time"]).toBe("2026-01-01T00:00:00Z");
      expect(parsed["useragent"]).toEqual(fields["useragent"]);
      expect(parsed["fields.time"]).toEqual(fields["time"]);
      expect(Object.keys(parsed)).toEqual(Object.keys(parsed).toSorted());
    }),
  );
});
