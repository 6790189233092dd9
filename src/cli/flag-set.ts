import { suggest } from "../kit/distance.ts";
import { InvalidDurationError, parseGoDuration } from "../kit/duration.ts";
import { goQuote } from "../kit/go-quote.ts";
import { parseCsv, parseGoBool, parseGoInteger, ValueError } from "./go-values.ts";

/** The types of flags, as Go's pflag has them. */
export type FlagKind = "string" | "bool" | "int" | "uint" | "duration" | "strings";

/** One flag as data. */
export interface FlagDefinition {
  readonly name: string;
  readonly kind: FlagKind;
  /** One letter: `-p 80`, `-p80`, `-p=80`; those of booleans may stand together. */
  readonly shorthand?: string;
  /** As it would be typed; lists begin empty whatever stands here. */
  readonly default: string;
  readonly description: string;
  /** Set: using the flag prints it, and help leaves the flag out. */
  readonly deprecated?: string;
  /** Left out of help. */
  readonly hidden?: boolean;
}

/** A command line that cannot be read. The program prints its help and this, and exits with code 2, as Dapr's do. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

type FlagValue = string | boolean | number | readonly string[];

type NameOf<D extends FlagDefinition, K extends FlagKind> = Extract<D, { readonly kind: K }>["name"];

/** What was read: a value for every flag, and which were given. */
export class ParsedFlags<D extends FlagDefinition> {
  /** `--help` or `-h` was given; values mean nothing then. */
  readonly help: boolean;
  /** Lines about deprecated flags, for standard error. */
  readonly notices: readonly string[];
  /** What is no flag, and everything after `--`. */
  readonly words: readonly string[];
  readonly #values: ReadonlyMap<string, FlagValue>;
  readonly #given: ReadonlySet<string>;

  constructor(
    help: boolean,
    notices: readonly string[],
    words: readonly string[],
    values: ReadonlyMap<string, FlagValue>,
    given: ReadonlySet<string>,
  ) {
    this.help = help;
    this.notices = notices;
    this.words = words;
    this.#values = values;
    this.#given = given;
  }

  given(name: D["name"]): boolean {
    return this.#given.has(name);
  }

  text(name: NameOf<D, "string">): string {
    return this.#values.get(name) as string;
  }

  bool(name: NameOf<D, "bool">): boolean {
    return this.#values.get(name) as boolean;
  }

  integer(name: NameOf<D, "int" | "uint">): number {
    return this.#values.get(name) as number;
  }

  milliseconds(name: NameOf<D, "duration">): number {
    return this.#values.get(name) as number;
  }

  list(name: NameOf<D, "strings">): readonly string[] {
    return this.#values.get(name) as readonly string[];
  }
}

/**
 * Reads a command line as Dapr's Go binaries do: `--flag value`, `--flag=value`, and the same with one dash; a boolean
 * stands alone or with `=`; lists repeat and hold comma-separated values; `--` ends the flags; other words are kept.
 * One letter after one dash is a shorthand where one is defined and no flag has the whole word as its name.
 * (No library here: those for Node know one-dash words only as bundles of letters.)
 * @throws FlagError
 */
export function parseFlags<D extends FlagDefinition>(
  definitions: readonly D[],
  args: readonly string[],
): ParsedFlags<D> {
  const reader = new FlagReader(definitions);
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      words.push(...args.slice(at + 1));
      break;
    }
    if (arg.length < 2 || !arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    const outcome = reader.take(arg, args[at + 1]);
    if (outcome === "help") {
      return reader.result(true, words);
    }
    at += outcome === "with-next" ? 1 : 0;
  }
  return reader.result(false, words);
}

type Taken = "alone" | "with-next" | "help";

class FlagReader<D extends FlagDefinition> {
  readonly #definitions: ReadonlyMap<string, D>;
  readonly #shorthands = new Map<string, D>();
  readonly #values = new Map<string, FlagValue>();
  readonly #given = new Set<string>();
  readonly #notices: string[] = [];

  constructor(definitions: readonly D[]) {
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    for (const definition of definitions) {
      if (definition.shorthand !== undefined) {
        this.#shorthands.set(definition.shorthand, definition);
      }
      this.#values.set(definition.name, definition.kind === "strings" ? [] : readValue(definition, definition.default));
    }
  }

  take(arg: string, next: string | undefined): Taken {
    if (arg.length === 2) {
      return this.#takeShorthands(arg, next);
    }
    const body = arg.slice(arg.startsWith("--") ? 2 : 1);
    if (/^[-=]/.test(body)) {
      throw new FlagError(`bad flag syntax: ${arg}`);
    }
    const equals = body.indexOf("=");
    const name = equals === -1 ? body : body.slice(0, equals);
    const definition = this.#definitions.get(name);
    if (definition === undefined) {
      if (name === "help") {
        return "help";
      }
      if (!arg.startsWith("--") && this.#shorthands.has(body.slice(0, 1))) {
        return this.#takeShorthands(arg, next);
      }
      throw new FlagError(`unknown flag: --${name}${this.#hint(name)}`);
    }
    if (equals !== -1) {
      this.#set(definition, body.slice(equals + 1));
      return "alone";
    }
    if (definition.kind === "bool") {
      this.#set(definition, "true");
      return "alone";
    }
    if (next === undefined) {
      throw new FlagError(`flag needs an argument: --${name}`);
    }
    this.#set(definition, next);
    return "with-next";
  }

  /** `-kp80`: letters of booleans, then one that takes the rest of the word, or the next word, as its value. */
  #takeShorthands(arg: string, next: string | undefined): Taken {
    for (let at = 1; at < arg.length; at++) {
      const letter = arg.charAt(at);
      const definition = this.#shorthands.get(letter);
      if (definition === undefined) {
        if (letter === "h") {
          return "help";
        }
        throw new FlagError(`unknown shorthand flag: '${letter}' in ${arg}`);
      }
      const rest = arg.slice(at + 1);
      if (rest.startsWith("=")) {
        this.#set(definition, rest.slice(1));
        return "alone";
      }
      if (definition.kind === "bool") {
        this.#set(definition, "true");
      } else if (rest !== "") {
        this.#set(definition, rest);
        return "alone";
      } else if (next === undefined) {
        throw new FlagError(`flag needs an argument: '${letter}' in ${arg}`);
      } else {
        this.#set(definition, next);
        return "with-next";
      }
    }
    return "alone";
  }

  result(help: boolean, words: readonly string[]): ParsedFlags<D> {
    return new ParsedFlags(help, this.#notices, words, this.#values, this.#given);
  }

  #set(definition: D, text: string): void {
    const value = readGiven(definition, text);
    const before =
      definition.kind === "strings" && this.#given.has(definition.name) ? this.#values.get(definition.name) : undefined;
    this.#values.set(
      definition.name,
      Array.isArray(before) && Array.isArray(value) ? [...(before as string[]), ...(value as string[])] : value,
    );
    this.#given.add(definition.name);
    if (definition.deprecated !== undefined) {
      this.#notices.push(`Flag --${definition.name} has been deprecated, ${definition.deprecated}`);
    }
  }

  #hint(name: string): string {
    const visible = [...this.#definitions.values()]
      .filter((definition) => !isHidden(definition))
      .map((definition) => definition.name);
    const near = suggest(name, visible);
    return near === undefined ? "" : ` (did you mean --${near}?)`;
  }
}

function readGiven(definition: FlagDefinition, text: string): FlagValue {
  try {
    return readValue(definition, text);
  } catch (error) {
    if (error instanceof ValueError || error instanceof InvalidDurationError) {
      throw new FlagError(
        `invalid argument ${goQuote(text)} for ${goQuote(flagName(definition))} flag: ${error.message}`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** `-p, --app-port`, as pflag calls it in errors. */
function flagName({ shorthand, name }: FlagDefinition): string {
  return shorthand === undefined ? `--${name}` : `-${shorthand}, --${name}`;
}

function readValue(definition: FlagDefinition, text: string): FlagValue {
  switch (definition.kind) {
    case "string":
      return text;
    case "bool":
      return parseGoBool(text);
    case "int":
      return parseGoInteger(text);
    case "uint":
      return parseGoInteger(text, true);
    case "duration":
      return parseGoDuration(text);
    case "strings":
      return parseCsv(text);
  }
}

const VALUE_NAMES: Readonly<Record<FlagKind, string>> = {
  string: " string",
  bool: "",
  int: " int",
  uint: " uint",
  duration: " duration",
  strings: " strings",
};

const ZERO_DEFAULTS: ReadonlySet<string> = new Set(["", "false", "0", "0s", "[]"]);

/** The help of a program: every visible flag with its type, description and default, sorted by name. */
export function usageText(program: string, definitions: readonly FlagDefinition[]): string {
  const rows = definitions
    .filter((definition) => !isHidden(definition))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((definition) => [usageOf(definition), describe(definition)] as const);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return `Usage of ${program}:\n${rows.map(([flag, text]) => `${flag.padEnd(width)}   ${text}\n`).join("")}`;
}

function usageOf(definition: FlagDefinition): string {
  const name = flagName(definition);
  return `${name.startsWith("--") ? "      " : "  "}${name}${VALUE_NAMES[definition.kind]}`;
}

function describe(definition: FlagDefinition): string {
  if (ZERO_DEFAULTS.has(definition.default)) {
    return definition.description;
  }
  const shown = definition.kind === "string" ? goQuote(definition.default) : definition.default;
  return `${definition.description} (default ${shown})`;
}

function isHidden(definition: FlagDefinition): boolean {
  return definition.hidden === true || definition.deprecated !== undefined;
}
