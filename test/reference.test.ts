import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { cellsOfReference, cellsOfReport, isCapability, MANIFESTS, renderReference } from "../scripts/reference.ts";
import { stateDeps } from "../src/components/in-memory/state-store.fixture.ts";
import { systemClock } from "../src/kit/system-clock.ts";

const reference = readFileSync(resolve(import.meta.dirname, "../docs/reference/components.md"), "utf8");
const cells = cellsOfReference(reference);

describe("the reference of components", () => {
  it("says what the manifests say (npm run generate:reference)", () => {
    expect(renderReference(cells)).toBe(reference);
  });
});

describe.each(MANIFESTS.filter(({ family }) => family !== "nameresolution"))("$type in the reference", (manifest) => {
  const row = cells.get(manifest.type) ?? new Map<string, string>();

  it("has passed the contract and each capability that it declares", () => {
    for (const section of ["contract", ...manifest.capabilities]) {
      expect(row.get(section), section).toMatch(/^[1-9]\d* passed$/);
    }
  });

  it("has passed no capability that it does not declare", async () => {
    const instance = (await manifest.load())(stateDeps(systemClock));
    const undeclared = instance.capabilities === undefined ? /^–$/ : /^(–|[1-9]\d* passed \(by metadata\))$/;
    for (const [section, cell] of row) {
      if (isCapability(section) && !manifest.capabilities.includes(section)) expect(cell, section).toMatch(undeclared);
    }
  });
});

describe("cellsOfReport", () => {
  const titles = ["state.redis keeps the contract of state stores"];
  const report = (status: string, ...assertionResults: { ancestorTitles: string[]; title: string; status: string }[]) =>
    cellsOfReport({ testResults: [{ name: "a.test.ts", status, assertionResults }] });

  it("counts by section, and reads the same from what it wrote", () => {
    const counted = report(
      "passed",
      { ancestorTitles: ["in a file", ...titles], title: "a", status: "passed" },
      { ancestorTitles: [...titles, "TTL"], title: "b", status: "passed" },
      { ancestorTitles: [...titles, "TTL"], title: "c", status: "skipped" },
      { ancestorTitles: [...titles, "DELETE_WITH_PREFIX"], title: "d", status: "skipped" },
      { ancestorTitles: [], title: "lock.redis: no a|b: none", status: "skipped" },
      { ancestorTitles: ["lock.sqlite keeps the contract of locks"], title: "e", status: "passed" },
    );
    expect(Object.fromEntries(counted.get("state.redis") ?? [])).toEqual({
      contract: "1 passed",
      TTL: "1 passed, 1 skipped",
      DELETE_WITH_PREFIX: "–",
    });
    expect(counted.get("lock.redis")?.get("contract")).toBe("skipped: no a|b: none");
    expect(cellsOfReference(renderReference(counted))).toEqual(counted);
  });

  it("takes no failure and no case outside a suite", () => {
    expect(() => report("failed")).toThrow("a.test.ts failed");
    expect(() => report("passed", { ancestorTitles: [], title: "stray", status: "passed" })).toThrow("in no suite");
  });
});
