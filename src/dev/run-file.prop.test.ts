import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRunFile, type RunFile } from "./run-file.ts";
import { planRunFile, RUN_HABITS } from "./run-plan.ts";
import { RunFileError } from "./run-plan-error.ts";

const LABEL = "dapr.yaml";

const SEED = `version: 1
name: shop
common: &common
  resourcesPaths: [./a, "b"]
  env: {A: 1, B: "two"}
  logLevel: info
  maxBodySize: 4Mi
apps:
  - appID: orders
    appDirPath: ./orders
    appPort: 6001
    appProtocol: http
    command: ["node", "a.js"]
    <<: *common
  - appDirPath: ./stock
    appLogDestination: file
    unixDomainSocket: /sockets
`;

const piece = fc.oneof(
  fc.constantFrom("\n", "\n---\n", ": ", "- ", "? ", "|\n", "{", "}", "[", "]", ",", "&a ", "*a", "<<: ", "!!int "),
  fc.constantFrom(
    "#",
    "'",
    '"',
    "\t",
    "  ",
    "~",
    "\u0000",
    "\uFEFF",
    "\\0",
    "70000",
    "-1",
    "yes",
    "version: ",
    "apps:",
  ),
  fc.constantFrom("appID: ", "appDirPath: ", "command: ", "env: ", "appPort: ", "maxBodySize: ", "logLevel: "),
  fc.string({ maxLength: 8 }),
);

/** The seed with pieces put in place of others. */
const mutated = fc
  .array(fc.tuple(fc.nat(SEED.length), fc.nat(4), piece), { maxLength: 4 })
  .map((cuts) => cuts.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), SEED));

const noise = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));

function read(text: string): RunFile | RunFileError {
  try {
    return parseRunFile(text, { path: undefined, label: LABEL, directory: "/" });
  } catch (error) {
    if (error instanceof RunFileError) {
      return error;
    }
    throw error;
  }
}

describe("parseRunFile", () => {
  it("reads the text that the others start from", () => {
    expect(read(SEED)).toMatchObject({ name: "shop", warnings: [] });
  });

  it("throws nothing but its own error, and every problem has a place in the text", () => {
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(fc.oneof(mutated, noise), (text) => {
        const outcome = read(text);
        if (!(outcome instanceof RunFileError)) {
          accepted++;
          expect(outcome.apps.length).toBeGreaterThan(0);
          for (const warning of outcome.warnings) {
            expect(warning).toMatch(/^dapr\.yaml:\d+:\d+: ./);
          }
          return;
        }
        refused++;
        const lines = text.split(/\r\n|\r|\n/).length;
        expect(outcome.problems.length).toBeGreaterThan(0);
        for (const { place, text: complaint } of outcome.problems) {
          expect(place.file).toBe(LABEL);
          expect(place.line).toBeGreaterThanOrEqual(1);
          expect(place.line).toBeLessThanOrEqual(lines);
          expect(place.column).toBeGreaterThanOrEqual(1);
          expect(complaint).not.toBe("");
        }
      }),
      { numRuns: 1500 },
    );
    // Both outcomes are met, or the texts would be poor ones.
    expect(Math.min(accepted, refused)).toBeGreaterThan(20);
  });

  it("makes plans that fail for nothing but what the file says, at a place in it", async () => {
    const options = { env: { HOME: "/none" }, habits: RUN_HABITS };
    let refused = 0;
    const property = fc.asyncProperty(mutated, async (text) => {
      const file = read(text.replaceAll("./", "/"));
      if (file instanceof RunFileError) {
        return;
      }
      const outcome = await planRunFile(file, options).catch((error: unknown) => error);
      if (outcome instanceof RunFileError) {
        refused++;
        expect(outcome.message).toMatch(/^(?:dapr\.yaml:\d+:\d+: .+(?:\n|$))+$/);
      } else {
        expect(outcome).toMatchObject({ runFile: undefined, apps: expect.any(Array) as unknown });
      }
    });
    await fc.assert(property, { numRuns: 600 });
    expect(refused).toBeGreaterThan(20);
  });
});
