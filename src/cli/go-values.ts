import { goQuote } from "../kit/go-quote.ts";

/** Text that a flag's value refuses; the message is the one Go's strconv or encoding/csv gives. */
export class ValueError extends Error {
  override readonly name = "ValueError";
}

const TRUE_WORDS: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE_WORDS: ReadonlySet<string> = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** Go's `strconv.ParseBool`. @throws ValueError */
export function parseGoBool(text: string): boolean {
  if (TRUE_WORDS.has(text)) {
    return true;
  }
  if (FALSE_WORDS.has(text)) {
    return false;
  }
  throw new ValueError(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
}

/** Digits with Go's prefixes for base 0, underscores only between digits. */
const INTEGER = /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;

/**
 * Go's `strconv.ParseInt(text, 0, 64)` (or `ParseUint` when `unsigned`), within what a JavaScript number holds exactly.
 * @throws ValueError
 */
export function parseGoInteger(text: string, unsigned = false): number {
  const name = unsigned ? "ParseUint" : "ParseInt";
  const match = INTEGER.exec(text);
  if (match === null || (unsigned && match[1] !== "")) {
    throw new ValueError(`strconv.${name}: parsing ${goQuote(text)}: invalid syntax`);
  }
  const [, sign, digits = ""] = match;
  const bare = digits.replaceAll("_", "");
  const value = Number(/^0[0-7]+$/.test(bare) ? `0o${bare.slice(1)}` : bare);
  if (!Number.isSafeInteger(value)) {
    throw new ValueError(`strconv.${name}: parsing ${goQuote(text)}: value out of range`);
  }
  return sign === "-" ? 0 - value : value;
}

/** Go's `strconv.Atoi`, which ports are read with: decimal digits only. @throws ValueError */
export function parseGoDecimal(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw new ValueError(`strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new ValueError(`strconv.Atoi: parsing ${goQuote(text)}: value out of range`);
  }
  return value;
}

/** One line of comma-separated values, fields in double quotes as they need them. @throws ValueError */
export function parseCsv(text: string): readonly string[] {
  if (text === "") {
    return [];
  }
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const [field, next] = text[at] === '"' ? quotedField(text, at) : bareField(text, at);
    fields.push(field);
    if (next >= text.length) {
      return fields;
    }
    at = next + 1;
  }
}

function bareField(text: string, from: number): readonly [field: string, next: number] {
  const comma = text.indexOf(",", from);
  const end = comma === -1 ? text.length : comma;
  const field = text.slice(from, end);
  const quote = field.indexOf('"');
  if (quote !== -1) {
    throw new ValueError(`parse error on line 1, column ${from + quote + 1}: bare " in non-quoted field`);
  }
  return [field, end];
}

function quotedField(text: string, from: number): readonly [field: string, next: number] {
  let field = "";
  let at = from + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) {
      throw new ValueError(`parse error on line 1, column ${text.length + 1}: extraneous or missing " in quoted-field`);
    }
    field += text.slice(at, quote);
    const after = text[quote + 1];
    if (after === '"') {
      field += '"';
      at = quote + 2;
    } else if (after === undefined || after === ",") {
      return [field, quote + 1];
    } else {
      throw new ValueError(`parse error on line 1, column ${quote + 1}: extraneous or missing " in quoted-field`);
    }
  }
}

/** Dapr's reading of switches in the environment: y, yes, true, t, on, 1, in any case. */
export function isTruthy(text: string | undefined): boolean {
  return /^(?:y|yes|true|t|on|1)$/i.test((text ?? "").trim());
}
