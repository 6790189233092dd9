import fc from "fast-check";
import { expect, it } from "vitest";
import { LineSplitter } from "./line-reader.ts";

it("gives the same lines however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: "grapheme" }).map((line) => line.replaceAll(/[\r\n]/g, "")),
        { minLength: 1 },
      ),
      fc.array(fc.nat(), { maxLength: 20 }),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const seen: string[] = [];
        const splitter = new LineSplitter((line) => void seen.push(line));
        let from = 0;
        for (const to of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)) {
          splitter.write(bytes.subarray(from, to));
          from = to;
        }
        splitter.end();
        expect(seen).toEqual(lines);
      },
    ),
  );
});
