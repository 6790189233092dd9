import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configurationShape } from "./configuration-shape.ts";
import { ResourceError } from "./error.ts";
import { readResource } from "./read-resource.ts";
import type { YamlDialect } from "./scalar.ts";
import { splitDocuments } from "./split-documents.ts";
import { parseYaml } from "./yaml.ts";
import type { Report } from "./yaml-node.ts";

const FILE = "some.yaml";
const ignore: Report = () => undefined;

const SEED_DOCUMENT = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec: &spec
  type: state.redis
  version: v1
  metadata:
  - name: host
    value: {a: [1, 2.5, true, null], <<: *spec}
  - name: secret
    secretKeyRef: {name: a, key: "b"}
scopes: [app]
`;

/** Pieces that make trouble in YAML, next to ordinary ones. */
const piece = fc.oneof(
  fc.constantFrom(
    "\n",
    "\n---\n",
    "---",
    "...",
    ": ",
    "- ",
    "? ",
    "| \n",
    ">\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "!x ",
    "%YAML 1.1\n",
    "#",
    "'",
    '"',
    "\t",
    "  ",
    "~",
    "0x",
    "\u0000",
    "\uFEFF",
    "\r\n",
  ),
  fc.constantFrom(
    "apiVersion: dapr.io/v1alpha1\n",
    "kind: Component\n",
    "kind: Subscription\n",
    "kind: Resiliency\n",
    "kind: HTTPEndpoint\n",
    "metadata:\n",
    "  name: a\n",
    "spec:\n",
    "  features:\n",
    "  mtls: ",
  ),
  fc.string({ unit: "grapheme", maxLength: 8 }),
);

const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));

const mutated = fc
  .tuple(fc.nat(SEED_DOCUMENT.length), fc.nat(20), piece)
  .map(([at, removed, inserted]) => SEED_DOCUMENT.slice(0, at) + inserted + SEED_DOCUMENT.slice(at + removed));

/** A text either reads or says where it does not: nothing else comes out of a file. */
function readEverything(text: string, dialect: YamlDialect): void {
  const lines = text.split("\n").length;
  for (const document of splitDocuments(text)) {
    try {
      const node = parseYaml(document.text, { file: FILE, firstLine: document.firstLine, dialect, report: ignore });
      if (node !== undefined) {
        readResource(node, { dialect, report: ignore });
        configurationShape(node, { dialect, report: ignore }, "");
      }
    } catch (error) {
      expect(error).toBeInstanceOf(ResourceError);
      const { file, line, column } = error as ResourceError;
      expect(file).toBe(FILE);
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines + 1);
      expect(column).toBeGreaterThanOrEqual(1);
    }
  }
}

describe("any text at all", () => {
  it.each(["kubernetes", "go-yaml-3"] as const)("is read or refused with a place (%s)", (dialect) => {
    fc.assert(
      fc.property(fc.oneof(soup, mutated), (text) => readEverything(text, dialect)),
      { numRuns: 2_000 },
    );
  });

  it("cannot nest so deep that reading it fails otherwise", () => {
    for (const opening of ["[", "{a: ", "- ", "? "]) {
      readEverything(opening.repeat(20_000), "kubernetes");
    }
  });

  it("cannot blow up through aliases", () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `a${level}: &a${level} [${level === 0 ? "x" : `*a${level - 1},*a${level - 1},*a${level - 1}`}]`,
    );
    expect(() =>
      parseYaml(levels.join("\n"), { file: FILE, firstLine: 1, dialect: "kubernetes", report: ignore }),
    ).toThrow(/more than 100000 values/);
  });
});

describe("splitDocuments", () => {
  it("gives every document the line it starts at", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z\n]*$/), { minLength: 1, maxLength: 6 }), (texts) => {
        const file = texts.join("\n---\n");
        const lines = file.split("\n");
        for (const document of splitDocuments(file)) {
          const count = document.text.split("\n").length;
          expect(lines.slice(document.firstLine - 1, document.firstLine - 1 + count).join("\n")).toBe(document.text);
        }
        expect(splitDocuments(file).map(({ text }) => text)).toEqual(texts);
      }),
    );
  });
});
