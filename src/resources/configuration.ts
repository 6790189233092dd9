import { readFile } from "node:fs/promises";
import { toConfiguration } from "./configuration-defaults.ts";
import { configurationShape } from "./configuration-shape.ts";
import type { Configuration } from "./configuration-types.ts";
import { ResourceError } from "./error.ts";
import { expandEnvironment } from "./expand-environment.ts";
import type { Reading } from "./shape.ts";
import type { Report, YamlEntry, YamlNode } from "./yaml-node.ts";

export type { Configuration } from "./configuration-types.ts";

/** Bytes of one Configuration file. */
export const CONFIGURATION_FILE_BYTES_MAX = 4 * 1024 * 1024;

/** The one free-form value: a later file replaces it instead of being laid over it. */
const FREE_FORM_PATH = "spec.nameResolution.configuration";

/**
 * Reads Configuration files, later ones laid over earlier ones (lists are replaced), after `${VAR}` and `$VAR` have been
 * filled in. Only the first document of a file counts. No files give the defaults.
 * @param report told about unknown fields, which are ignored
 * @throws ResourceError for a file that is not there, no YAML, or has a value that cannot be meant
 */
export async function loadConfiguration(
  paths: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  report: Report = () => undefined,
): Promise<Configuration> {
  let merged: YamlNode | undefined;
  for (const path of paths) {
    const node = await readConfigurationFile(path, environment, report);
    if (node !== undefined) {
      merged = merged === undefined ? node : layOver(merged, node, "");
    }
  }
  const reading: Reading = { dialect: "go-yaml-3", report };
  const written = merged === undefined ? undefined : configurationShape(merged, reading, "");
  if (merged !== undefined && written?.kind !== "Configuration") {
    report(merged.place, `the file is read as a Configuration although its kind is "${written?.kind ?? ""}"`);
  }
  return toConfiguration(written?.metadata?.name ?? "", written?.spec, specEntries(merged), reading);
}

async function readConfigurationFile(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  report: Report,
): Promise<YamlNode | undefined> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (cause) {
    const missing = (cause as { readonly code?: unknown }).code === "ENOENT";
    throw new ResourceError(
      { file, line: 0, column: 0 },
      missing ? `stat ${file}: no such file or directory` : `open ${file}: ${String(cause)}`,
      { cause },
    );
  }
  if (content.length > CONFIGURATION_FILE_BYTES_MAX) {
    throw new ResourceError(
      { file, line: 0, column: 0 },
      `${file} has ${content.length} bytes, more than a Configuration file may have (${CONFIGURATION_FILE_BYTES_MAX})`,
    );
  }
  const { parseYaml } = await import("./yaml.ts");
  return parseYaml(expandEnvironment(content.toString("utf8"), environment), {
    file,
    firstLine: 1,
    dialect: "go-yaml-3",
    report,
  });
}

/** Maps are merged field by field; lists and single values of the later file replace; nothing at all changes nothing. */
function layOver(earlier: YamlNode, later: YamlNode, path: string): YamlNode {
  if (earlier.kind !== "map" || later.kind !== "map" || path === FREE_FORM_PATH) {
    return later.kind === "scalar" && later.plain && later.text === "" && earlier.kind === "scalar" ? earlier : later;
  }
  const entries = new Map<string, YamlEntry>(earlier.entries);
  for (const [key, entry] of later.entries) {
    const below = entries.get(key);
    entries.set(
      key,
      below === undefined
        ? entry
        : { place: entry.place, value: layOver(below.value, entry.value, path === "" ? key : `${path}.${key}`) },
    );
  }
  return { kind: "map", entries, place: later.place };
}

function specEntries(document: YamlNode | undefined): ReadonlyMap<string, YamlEntry> {
  const spec = document?.kind === "map" ? document.entries.get("spec")?.value : undefined;
  return spec?.kind === "map" ? spec.entries : new Map();
}
