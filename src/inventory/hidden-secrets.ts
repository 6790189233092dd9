import type { MetadataField } from "../components/spi/component.ts";
import { goQuote } from "../kit/go-quote.ts";
import { hideUserInfo, USER_INFO } from "../kit/hidden-user-info.ts";
import type { ReferencedMetadata } from "./metadata-resolver.ts";

/** Stands where a secret was. */
const HIDDEN = "(hidden)";

/** Shorter values are in too many words that are none of them. */
const SECRET_LENGTH_MIN = 4;

/** Parts of connection strings. */
const PARAMETER = /(?:pass(?:word|wd|phrase)?|pwd|secret|token|key)\s*=\s*'?([^\s;&']+)/gi;

/**
 * What takes a component's secrets out of a text about it: values of `fields` that are sensitive or that came
 * from a secret store, also quoted, the passwords in them, and those in any URL. Back ends put into their errors what they
 * were given.
 */
export function secretHider(
  referenced: ReferencedMetadata,
  fields: readonly MetadataField[],
): (text: string) => string {
  const sensitive = new Set(
    fields
      .filter((field) => field.sensitive === true)
      .flatMap(({ name, aliases = [] }) => [name, ...aliases].map((each) => each.toLowerCase())),
  );
  const secrets = referenced.values
    .filter(({ name }) => name in referenced.secretNames || sensitive.has(name.toLowerCase()))
    .flatMap(({ value }) => formsOf(value))
    .filter((form) => form.length >= SECRET_LENGTH_MIN)
    .toSorted((a, b) => b.length - a.length);
  return (text) => hideUserInfo(secrets.reduce((hidden, secret) => hidden.replaceAll(secret, HIDDEN), text));
}

function formsOf(value: string): readonly string[] {
  const passwords = [...value.matchAll(USER_INFO), ...value.matchAll(PARAMETER)].map(([, password = ""]) => password);
  const whole = [value, value.trim(), ...passwords, ...passwords.map(decoded)];
  return [...whole, ...whole.map((form) => goQuote(form).slice(1, -1)), ...whole.map(jsonText)];
}

function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
