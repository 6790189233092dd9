import fc from "fast-check";
import { expect, it } from "vitest";
import { FlagError, parseFlags, type FlagDefinition } from "./flag-set.ts";

const FLAGS = [
  { name: "name", kind: "string", default: "", description: "" },
  { name: "on", kind: "bool", default: "false", description: "" },
  { name: "list", kind: "strings", default: "[]", description: "" },
  { name: "count", kind: "int", default: "0", description: "" },
] as const satisfies readonly FlagDefinition[];

it("reads any text back, joined or apart, with one dash or two", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("-", "--"), fc.boolean(), (text, dashes, joined) => {
      const args = joined ? [`${dashes}name=${text}`] : [`${dashes}name`, text];
      expect(parseFlags(FLAGS, args).text("name")).toBe(text);
    }),
  );
});

it("either reads a command line or refuses it with its own error", () => {
  const word = fc.oneof(
    fc.constantFrom("--name", "--on", "--list", "--count", "--", "-", "-h", "--on=x", "--count=1", '--list="'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (args) => {
      try {
        parseFlags(FLAGS, args);
      } catch (error) {
        expect(error).toBeInstanceOf(FlagError);
      }
    }),
  );
});
