const HTML_OR_SEPARATOR = /[<>&\u2028\u2029]/g;
const SURROGATE = /[\ud800-\udfff]/;

/** A string as Go's `encoding/json` writes it: what could end a script element is escaped too. */
export function goJsonString(text: string): string {
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed()).replace(
    HTML_OR_SEPARATOR,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A float64 as Go's `encoding/json` writes it. It differs from JavaScript's text in the sign of zero only. */
export function goJsonNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A value decoded from JSON as Go's `json.Marshal` writes an `any`: object keys are sorted by their bytes. */
export function goJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return goJsonString(value);
    case "number":
      return goJsonNumber(value);
    case "object":
      if (value === null) {
        return "null";
      }
      return Array.isArray(value) ? `[${value.map(goJson).join(",")}]` : goJsonObject(value as Fields);
    default:
      return String(value);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function goJsonObject(value: Fields): string {
  const members = sortedKeys(value).map((key) => `${goJsonString(key)}:${goJson(value[key])}`);
  return `{${members.join(",")}}`;
}

/** In the order of their UTF-8 bytes, which is JavaScript's own as long as no surrogates are among them. */
export function sortedKeys(value: Fields): string[] {
  const keys = Object.keys(value);
  return keys.some((key) => SURROGATE.test(key))
    ? keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    : keys.toSorted();
}
