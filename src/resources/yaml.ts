import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Pair,
  type ParsedNode,
  type YAMLMap,
} from "yaml";
import { ResourceError } from "./error.ts";
import { indentQuotedLines } from "./quoted-lines.ts";
import { plainScalarToText, resolvePlainScalar, type YamlDialect } from "./scalar.ts";
import type { Place, Report, YamlEntry, YamlNode } from "./yaml-node.ts";

/** Nodes of one document after aliases are expanded: what stops an alias bomb. */
const NODES_MAX = 100_000;
const DEPTH_MAX = 200;

const STRING_TAG = "tag:yaml.org,2002:str";
const BINARY_TAG = "tag:yaml.org,2002:binary";
/** Tags that leave the meaning of a scalar to its text. */
const CORE_TAGS: ReadonlySet<string> = new Set(
  ["null", "bool", "int", "float", "timestamp"].map((name) => `tag:yaml.org,2002:${name}`),
);
const MERGE_KEY = "<<";
const UNCLOSED_QUOTE = /^Missing closing (['"])quote/;
/** Quoted texts of a document that are indented less than the parser wants. */
const REPAIRS_MAX = 100;

export interface YamlSource {
  readonly file: string;
  /** Line of the file that `text` starts at, from 1. */
  readonly firstLine: number;
  readonly dialect: YamlDialect;
  readonly report: Report;
}

/**
 * Reads the first document of a YAML text. Importing this file loads the parser; nothing else of the room does.
 * @returns undefined when there is nothing in it
 * @throws ResourceError for what is no YAML, with the place
 */
export function parseYaml(text: string, source: YamlSource): YamlNode | undefined {
  return readDocument(text, source, 0);
}

/** @param repairs of quoted texts whose lines were indented too little for the parser */
function readDocument(text: string, source: YamlSource, repairs: number): YamlNode | undefined {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const position = lines.linePos(offset);
    return { file: source.file, line: position.line + source.firstLine - 1, column: position.col };
  };
  let document: Document.Parsed | undefined;
  try {
    const documents = parseAllDocuments(text, {
      schema: "failsafe",
      uniqueKeys: false,
      prettyErrors: false,
      strict: false,
      logLevel: "silent",
      lineCounter: lines,
    });
    document = "empty" in documents ? undefined : documents[0];
  } catch (cause) {
    throw new ResourceError(place(0), `the document cannot be read as YAML: ${String(cause)}`, { cause });
  }
  const error = document?.errors[0];
  if (error !== undefined) {
    const [from] = error.pos;
    const quote = UNCLOSED_QUOTE.exec(error.message)?.[1] as "'" | '"' | undefined;
    const repaired =
      quote === undefined || repairs === REPAIRS_MAX
        ? undefined
        : indentQuotedLines(text, from, quote, place(from).column);
    if (repaired !== undefined) {
      return readDocument(repaired, source, repairs + 1);
    }
    throw new ResourceError(place(error.pos[0]), error.message);
  }
  if (document === undefined || document.contents === null) {
    return undefined;
  }
  return new Converter(source, place).convert(document.contents, 0);
}

class Converter {
  readonly #source: YamlSource;
  readonly #place: (offset: number) => Place;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(source: YamlSource, place: (offset: number) => Place) {
    this.#source = source;
    this.#place = place;
  }

  convert(node: Node | ParsedNode, depth: number): YamlNode {
    const place = this.#placeOf(node);
    if (++this.#nodes > NODES_MAX) {
      throw new ResourceError(place, `the document has more than ${NODES_MAX} values after its aliases are expanded`);
    }
    if (depth > DEPTH_MAX) {
      throw new ResourceError(place, `values are nested deeper than ${DEPTH_MAX} levels`);
    }
    if (isAlias(node)) {
      return this.convert(this.#aliased(node.source, place), depth + 1);
    }
    if ("anchor" in node && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, node);
    }
    if (isScalar(node)) {
      return this.#scalar(typeof node.value === "string" ? node.value : "", node.type === "PLAIN", node.tag, place);
    }
    this.#open.add(node);
    try {
      if (isMap(node)) {
        return { kind: "map", entries: this.#entries(node, depth), place };
      }
      if (isSeq(node)) {
        return { kind: "list", items: node.items.map((item) => this.convert(item as Node, depth + 1)), place };
      }
    } finally {
      this.#open.delete(node);
    }
    throw new ResourceError(place, "unsupported YAML value");
  }

  #scalar(text: string, unquoted: boolean, tag: string | undefined, place: Place): YamlNode {
    if (tag === BINARY_TAG) {
      return { kind: "scalar", text: Buffer.from(text, "base64").toString("utf8"), plain: false, place };
    }
    const plain = unquoted && (tag === undefined || tag === "!" || CORE_TAGS.has(tag)) && tag !== STRING_TAG;
    return { kind: "scalar", text, plain, place };
  }

  #aliased(name: string, place: Place): Node {
    const node = this.#anchors.get(name);
    if (node === undefined) {
      throw new ResourceError(place, `unknown anchor '${name}' referenced`);
    }
    if (this.#open.has(node)) {
      throw new ResourceError(place, `anchor '${name}' value contains itself`);
    }
    return node;
  }

  #entries(map: YAMLMap, depth: number): ReadonlyMap<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>();
    const merged = new Map<string, YamlEntry>();
    for (const pair of map.items as Pair<Node | null, Node | null>[]) {
      const place = pair.key === null ? this.#placeOf(map) : this.#placeOf(pair.key);
      const value: YamlNode =
        pair.value === null ? { kind: "scalar", text: "", plain: true, place } : this.convert(pair.value, depth + 1);
      const key = this.#key(pair.key, place, depth);
      if (key === undefined) {
        this.#merge(value, merged);
        continue;
      }
      const earlier = entries.get(key);
      if (earlier !== undefined) {
        this.#duplicate(key, place, earlier.place);
      }
      entries.set(key, { place, value });
    }
    for (const [key, entry] of merged) {
      if (!entries.has(key)) {
        entries.set(key, entry);
      }
    }
    return entries;
  }

  /** The key as text; undefined for a merge key. */
  #key(node: Node | null, place: Place, depth: number): string | undefined {
    const key = node === null ? undefined : this.convert(node, depth + 1);
    if (key === undefined || key.kind !== "scalar") {
      throw new ResourceError(place, "a key must be text");
    }
    if (!key.plain) {
      return key.text;
    }
    if (key.text === MERGE_KEY) {
      return undefined;
    }
    if (resolvePlainScalar(key.text, this.#source.dialect) === null) {
      throw new ResourceError(place, "a key must not be empty");
    }
    return plainScalarToText(key.text, this.#source.dialect);
  }

  #merge(value: YamlNode, into: Map<string, YamlEntry>): void {
    const maps = value.kind === "list" ? value.items : [value];
    for (const map of maps) {
      if (map.kind !== "map") {
        throw new ResourceError(map.place, "map merge requires map or sequence of maps as the value");
      }
      for (const [key, entry] of map.entries) {
        if (!into.has(key)) {
          into.set(key, entry);
        }
      }
    }
  }

  /** go-yaml 3 refuses a key that is written twice; sigs.k8s.io/yaml takes the last. */
  #duplicate(key: string, place: Place, earlier: Place): void {
    if (this.#source.dialect === "go-yaml-3") {
      throw new ResourceError(place, `mapping key "${key}" already defined at line ${earlier.line}`);
    }
    this.#source.report(place, `"${key}" is written twice, this one counts (the other is at line ${earlier.line})`);
  }

  #placeOf(node: Node | ParsedNode): Place {
    return this.#place(node.range?.[0] ?? 0);
  }
}
