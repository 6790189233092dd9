/** A place in a file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A YAML document as the kinds read it: aliases and merge keys resolved, keys as text, scalars not yet interpreted. */
export type YamlNode = YamlScalar | YamlMap | YamlList;

export interface YamlScalar {
  readonly kind: "scalar";
  readonly text: string;
  /** Unquoted and untagged: its meaning depends on what it looks like. */
  readonly plain: boolean;
  readonly place: Place;
}

export interface YamlMap {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, YamlEntry>;
  readonly place: Place;
}

export interface YamlEntry {
  /** Where the key stands. */
  readonly place: Place;
  readonly value: YamlNode;
}

export interface YamlList {
  readonly kind: "list";
  readonly items: readonly YamlNode[];
  readonly place: Place;
}

/** Takes what is odd but not wrong. */
export type Report = (place: Place, message: string) => void;
