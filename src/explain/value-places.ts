import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import type { Origin } from "../resources/resource.ts";
import { splitDocuments } from "../resources/split-documents.ts";
import { parseYaml } from "../resources/yaml.ts";
import type { Place, YamlNode } from "../resources/yaml-node.ts";

/** A value's path in its document: keys of maps, indexes of lists. */
export type ValuePath = readonly (string | number)[];

/** Says on which line of which file a value of a resource was written. */
export class ValuePlaces {
  readonly #directory: string;
  /** The documents of each file, by the line that a resource's origin names. */
  readonly #files = new Map<string, ReadonlyMap<number, YamlNode>>();

  /** @param directory paths are told as seen from here */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** `file:line` of the value, of the nearest thing around it that was written, or of the resource. */
  async of(origin: Origin, path: ValuePath = []): Promise<string> {
    let file = this.#files.get(origin.file);
    if (file === undefined) {
      file = await readDocuments(origin.file);
      this.#files.set(origin.file, file);
    }
    let place: Place | Origin = origin;
    let node = file.get(origin.line);
    for (const step of path) {
      const next = entryOf(node, step);
      if (next === undefined) {
        break;
      }
      [place, node] = next;
    }
    return this.text(place);
  }

  text({ file, line }: Origin): string {
    return `${relative(this.#directory, file) || file}:${line}`;
  }
}

async function readDocuments(file: string): Promise<ReadonlyMap<number, YamlNode>> {
  const documents = new Map<number, YamlNode>();
  for (const { text, firstLine } of splitDocuments(await readFile(file, "utf8"))) {
    const node = parseDocument(text, file, firstLine);
    if (node !== undefined) {
      documents.set(node.place.line, node);
    }
  }
  return documents;
}

/** Undefined for a document that cannot be read: no resource comes from it. */
function parseDocument(text: string, file: string, firstLine: number): YamlNode | undefined {
  try {
    return parseYaml(text, { file, firstLine, dialect: "kubernetes", report: () => undefined });
  } catch {
    return undefined;
  }
}

function entryOf(node: YamlNode | undefined, step: string | number): [Place, YamlNode] | undefined {
  if (node?.kind === "map" && typeof step === "string") {
    const entry = node.entries.get(step);
    return entry && [entry.place, entry.value];
  }
  if (node?.kind === "list" && typeof step === "number") {
    const item = node.items[step];
    return item && [item.place, item];
  }
  return undefined;
}
