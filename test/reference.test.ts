import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { errorPages, errorRows, shownCode } from "../scripts/errors-reference.ts";
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

describe("the reference of errors", () => {
  const root = resolve(import.meta.dirname, "..");
  const folder = join(root, "docs/reference/errors");
  const pages = errorPages();

  it("is what the catalogue says (node scripts/generate-reference.ts errors)", () => {
    const written = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]));
    expect([...written.keys()].sort()).toEqual([...pages.keys()].sort());
    for (const [file, text] of pages) expect(written.get(file), file).toBe(text);
  });

  it("has every area, and every row of the catalogue on the page of its code and in the list", () => {
    const areas = globSync("src/errors/catalogue/*.ts", { cwd: root }).map((file) => basename(file, ".ts"));
    expect([...new Set(errorRows().map(({ area }) => area))].sort()).toEqual(areas.sort());
    const list = pages.get("README.md") ?? "";
    for (const { area, name, entry, help } of errorRows()) {
      const page = pages.get(`${shownCode(entry).replaceAll(" ", "-")}.md`) ?? "";
      expect(list, `${area}.${name}`).toContain(entry.message.replaceAll("|", "\\|"));
      expect(page, `${area}.${name}`).toContain(entry.message === "{reason}" ? "#" : entry.message);
      expect(page, `${area}.${name}`).toContain(help.meaning);
      expect(help.tries.length, `${area}.${name}`).toBeGreaterThan(0);
      for (const one of help.tries) expect(page, `${area}.${name}`).toContain(`* ${one}`);
      expect(page).toContain(`HTTP ${entry.httpStatus} `);
      expect(page).toContain(`(${entry.grpcStatus}):`);
    }
  });

  it("shows bodies as they go over the wire, with no place left open, and links to guides that exist", () => {
    for (const [file, text] of pages) {
      for (const [, json] of text.matchAll(/```json\n([^]*?)\n```/g)) {
        expect(JSON.parse(json ?? ""), file).toMatchObject({ errorCode: expect.any(String) as string });
        expect(json, file).not.toMatch(/\{\w+\}|undefined/);
      }
      for (const [, target] of text.matchAll(/\]\(([^)]+)\)/g)) {
        expect(existsSync(join(folder, target ?? "")), `${file}: ${target}`).toBe(true);
      }
    }
  });

  it("refuses a row without examples for its facts", () => {
    const [row] = errorRows();
    const strange = { ...row!, entry: { ...row!.entry, message: "no {such} fact" } };
    expect(() => errorPages([strange])).toThrow("{such}");
  });
});
