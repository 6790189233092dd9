import type { ComponentFamily, ComponentManifest, MetadataField } from "../src/components/spi/component.ts";
import { COMPONENT_MANIFESTS } from "../src/sidecar/families.ts";
import { NAME_RESOLVERS } from "../src/sidecar/name-resolution.ts";

/** What a back end came to in each section of its family's suite: by type, then by section in the suite's order. */
export type SectionCells = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The part of a report of vitest's reporter `json` that is read here. */
export interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

/** Every component there is, the name resolvers last. */
export const MANIFESTS: readonly ComponentManifest[] = [...COMPONENT_MANIFESTS, ...Object.values(NAME_RESOLVERS)];

const FAMILIES: Readonly<Record<ComponentFamily, string>> = {
  state: "State stores",
  pubsub: "Brokers",
  bindings: "Bindings",
  configuration: "Configuration stores",
  lock: "Locks",
  crypto: "Cryptography",
  conversation: "Language models",
  secretstores: "Secret stores",
  middleware: "HTTP middlewares",
  nameresolution: "Name resolvers",
};

/** The section of the cases that stand in none: every back end of the family passes them. */
const COMMON = "contract";

const NOT_APPLICABLE = "–";

/** A section that an instance declares, not its manifest: whether it applies hangs on the metadata. */
const BY_METADATA = " (by metadata)";

const LEADING_COLUMNS = ["Back end", "Versions", "Aliases"];

/** Whether a section is named after a capability of the manifest; others are named after what the back end does. */
export function isCapability(section: string): boolean {
  return /^[A-Z_]+$/.test(section);
}

/**
 * Suites that the reference has no rows for: of components behind sockets, whose manifests are made when they are found, and
 * of the scheduler's key stores, which are no components.
 */
const WITHOUT_ROWS = /\/(?:pluggable-[^/]*|[a-z]+-key-store\.test\.ts)$/;

/** @throws Error where a case failed, a file did not run, or a case belongs to no suite */
export function cellsOfReport({ testResults }: TestReport): SectionCells {
  const counts = new Map<string, Map<string, { passed: number; skipped: number }>>();
  const missing = new Map<string, string>();
  for (const { name, status, assertionResults } of testResults) {
    if (status !== "passed") throw new Error(`${name} ${status}`);
    if (WITHOUT_ROWS.test(name)) continue;
    for (const { ancestorTitles, title, status: outcome } of assertionResults) {
      const at = ancestorTitles.findIndex((one) => / keeps the contract of /.test(one));
      const type = (at < 0 ? title.split(": ")[0] : ancestorTitles[at]?.split(" ")[0]) ?? "";
      if (!MANIFESTS.some((manifest) => manifest.type === type)) throw new Error(`"${title}" is in no suite: ${name}`);
      if (at < 0) {
        missing.set(type, title.slice(type.length + 2));
        continue;
      }
      const section = ancestorTitles[at + 1] ?? COMMON;
      const sections = counts.get(type) ?? new Map<string, { passed: number; skipped: number }>();
      const count = sections.get(section) ?? { passed: 0, skipped: 0 };
      if (outcome === "passed") count.passed += 1;
      else count.skipped += 1;
      counts.set(type, sections.set(section, count));
    }
  }
  return new Map(
    MANIFESTS.flatMap(({ type, family, capabilities }) => {
      const why = missing.get(type);
      const sections = counts.get(type) ?? new Map<string, { passed: number; skipped: number }>();
      const cell = (section: string): string => {
        const declared = capabilities.includes(section) || !isCapability(section);
        if (why !== undefined) return declared ? `skipped: ${why}` : NOT_APPLICABLE;
        const { passed, skipped } = sections.get(section) ?? { passed: 0, skipped: 0 };
        if (passed === 0) return NOT_APPLICABLE;
        if (!declared) return `${passed} passed${BY_METADATA}`;
        return skipped === 0 ? `${passed} passed` : `${passed} passed, ${skipped} skipped`;
      };
      const names = [...counts].find(([one]) => one.startsWith(`${family}.`))?.[1].keys() ?? [];
      return [[type, new Map([...names].map((section) => [section, cell(section)]))] as const];
    }),
  );
}

/** The cells that a reference was written with. */
export function cellsOfReference(markdown: string): SectionCells {
  const cells = new Map<string, ReadonlyMap<string, string>>();
  let sections: readonly string[] | undefined;
  for (const line of markdown.split("\n")) {
    const [first = "", ...rest] = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    const type = /^\[`([^`]+)`\]/.exec(first)?.[1];
    if (first === LEADING_COLUMNS[0]) sections = rest.slice(LEADING_COLUMNS.length - 1);
    else if (first === "") sections = undefined;
    else if (sections !== undefined && type !== undefined) {
      const values = rest.slice(LEADING_COLUMNS.length - 1);
      cells.set(type, new Map(sections.map((section, index) => [section, unescaped(values[index] ?? "")])));
    }
  }
  return cells;
}

/** docs/reference/components.md. */
export function renderReference(cells: SectionCells): string {
  return `# Components

Written by \`npm run generate:reference\` from the manifests and a run of the conformance suites (\`test/conformance/\`).

Each family has one suite, and each of its back ends has to pass it. The cases under "${COMMON}" hold for all. A section in capitals is a capability: it runs where the manifest declares it, and the suite asserts that declared capabilities, methods and sections agree. The other sections are parts of the contract, or behaviours that Dapr has no capability for. "${NOT_APPLICABLE}": the back end does not declare it, so the section does not apply. "${BY_METADATA.trim()}": it is declared where the component's metadata asks for it. A back end that is run in several forms (a file, in memory) is counted in all of them.
${Object.entries(FAMILIES)
  .map(([family, title]) => renderFamily(family, title, cells))
  .join("")}`;
}

function renderFamily(family: string, title: string, cells: SectionCells): string {
  const manifests = MANIFESTS.filter((manifest) => manifest.family === family);
  const sections = [...(cells.get(manifests[0]?.type ?? "")?.keys() ?? [])];
  const rows = manifests.map(({ type, versions, aliases }) => [
    `[\`${type}\`](#${type.replaceAll(".", "")})`,
    versions.map(({ version, stability }) => `${version} ${stability}`).join(", "),
    codes(aliases ?? []),
    ...sections.map((section) => escaped(cells.get(type)?.get(section) ?? NOT_APPLICABLE)),
  ]);
  const note =
    family === "nameresolution"
      ? "\nResolvers are named in a Configuration, without the family. Those in which sidecars register pass a common suite.\n"
      : "";
  return `\n## ${title}\n${note}\n${table([...LEADING_COLUMNS, ...sections], rows)}${manifests.map(renderMetadata).join("")}`;
}

function renderMetadata({ type, metadata }: ComponentManifest): string {
  if (metadata.length === 0) return `\n### ${type}\n\nIt takes no metadata.\n`;
  const columns = ["Name", "Kind", "Required", "Default", "Sensitive", "Description"];
  return `\n### ${type}\n\n${table(columns, metadata.map(metadataRow))}`;
}

function metadataRow(field: MetadataField): readonly string[] {
  const { name, kind, required = false, sensitive = false, description, aliases = [] } = field;
  return [
    aliases.length === 0 ? codes([name]) : `${codes([name])}, also ${codes(aliases)}`,
    kind,
    required ? "yes" : "",
    field.default === undefined ? "" : codes([field.default === "" ? '""' : field.default]),
    sensitive ? "yes" : "",
    escaped(description),
  ];
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  return `${line(columns)}|${"---|".repeat(columns.length)}\n${rows.map(line).join("")}`;
}

function codes(texts: readonly string[]): string {
  return texts.map((text) => `\`${escaped(text)}\``).join(", ");
}

function escaped(text: string): string {
  return text.replaceAll("|", String.raw`\|`);
}

function unescaped(cell: string): string {
  return cell.replaceAll(String.raw`\|`, "|");
}
