import { goQuote } from "./go-quote.ts";

/** Limits of the OpenTelemetry library in Dapr 1.18.3; the first is lower than W3C's, which lets anybody stop at 64. */
const MEMBERS_MAX = 64;
const BYTES_MAX = 8192;
/** Broken members that an error names. */
const NAMED_ERRORS_MAX = 5;

/** Characters of a broken member that an error repeats: it travels in a header of the answer. */
const SHOWN_CHARACTERS_MAX = 256;

const KEY = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What a value may hold; `%` only before two hexadecimal digits. */
const VALUE = /^(?:[\x21\x23-\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]|%[0-9A-Fa-f]{2})*$/;
const PROPERTY =
  /^[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*(?:=[ \t]*(?:[\x21\x23-\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]|%[0-9A-Fa-f]{2})*[ \t]*)?$/;

/**
 * What is wrong with a `baggage` header (W3C Baggage), in the words of Dapr's library; undefined when nothing is. It is
 * forwarded as it came, so that nothing but the rules is looked at.
 */
export function baggageFault(text: string): string | undefined {
  if (text === "") {
    return undefined;
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > BYTES_MAX) {
    return `baggage-string too large: ${bytes}`;
  }
  const faults: string[] = [];
  const keys = new Set<string>();
  let broken = 0;
  for (const member of text.split(",")) {
    if (keys.size >= MEMBERS_MAX) {
      faults.push("too many list-members in baggage-string");
      break;
    }
    const fault = memberFault(member, keys);
    if (fault !== undefined) {
      broken += 1;
      if (broken <= NAMED_ERRORS_MAX) {
        faults.push(fault);
      }
    }
  }
  if (broken > NAMED_ERRORS_MAX) {
    faults.push(`and ${broken - NAMED_ERRORS_MAX} more invalid member(s)`);
  }
  return faults.length === 0 ? undefined : faults.join("\n");
}

function memberFault(member: string, keys: Set<string>): string | undefined {
  const [pair = "", ...properties] = member.split(";");
  for (const property of properties) {
    if (property !== "" && !PROPERTY.test(property)) {
      return `invalid baggage list-member property: ${shown(property)}`;
    }
  }
  const at = pair.indexOf("=");
  if (at === -1) {
    return `invalid baggage list-member: ${shown(member)}`;
  }
  const key = pair.slice(0, at).trim();
  if (!KEY.test(key)) {
    return `invalid key: ${shown(key)}`;
  }
  const value = pair.slice(at + 1);
  if (!VALUE.test(value.trim())) {
    return `invalid value: ${shown(value)}`;
  }
  keys.add(key);
  return undefined;
}

function shown(text: string): string {
  return goQuote(text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text);
}
