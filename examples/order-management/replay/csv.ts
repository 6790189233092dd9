/** Thrown for text that is not CSV; the message names the line. */
export class CsvError extends Error {
  override readonly name = "CsvError";
}

/** One record and the line of the text on which it begins, counted from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: string[];
}

const QUOTE = '"';

/**
 * Reads comma-separated values by the grammar of RFC 4180, with `\n` accepted beside `\r\n`. The last record may or may
 * not end with a line break; an empty line is a record of one empty field.
 * @throws CsvError
 */
export function* parseCsv(text: string): Generator<CsvRecord> {
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const record: CsvRecord = { line, fields: [] };
    for (;;) {
      const field = text[at] === QUOTE ? quotedField(text, at, line) : plainField(text, at, line);
      record.fields.push(field.value);
      line += field.lineBreaks;
      at = field.end;
      if (text[at] !== ",") break;
      at++;
    }
    if (at < text.length) {
      at += lineBreakLength(text, at, line);
      line++;
    }
    yield record;
  }
}

interface Field {
  readonly value: string;
  /** Where the comma or the line break after the field is. */
  readonly end: number;
  readonly lineBreaks: number;
}

function plainField(text: string, start: number, line: number): Field {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") {
    if (text[end] === QUOTE) throw new CsvError(`line ${line}: a quote inside a field that does not begin with one`);
    end++;
  }
  return { value: text.slice(start, end), end, lineBreaks: 0 };
}

function quotedField(text: string, start: number, line: number): Field {
  let value = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf(QUOTE, at);
    if (quote === -1) throw new CsvError(`line ${line}: a quoted field without its closing quote`);
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== QUOTE) break;
    value += QUOTE;
    at++;
  }
  return { value, end: at, lineBreaks: value.split("\n").length - 1 };
}

/** What follows a field is a comma, a line break or the end; anything else stands after a closing quote. */
function lineBreakLength(text: string, at: number, line: number): number {
  if (text[at] === "\n") return 1;
  if (text[at] === "\r" && text[at + 1] === "\n") return 2;
  const what = text[at] === "\r" ? "a carriage return without its line feed" : "text after a closing quote";
  throw new CsvError(`line ${line}: ${what}`);
}
