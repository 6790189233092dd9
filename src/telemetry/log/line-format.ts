import { goQuote } from "../../kit/go-quote.ts";
import type { LogFields, LogLevel } from "../../kit/logger.ts";

/** Fields that every line of one logger carries. */
export interface LineIdentity {
  /** Left out of the line when empty, as daprd does before it knows its app id. */
  readonly appId: string;
  readonly instance: string;
  readonly scope: string;
  readonly version: string;
}

/** Makes whole lines, line feed included, of one logger. */
export type LineFormat = (level: LogLevel, time: string, message: string, fields: LogFields | undefined) => string;

/** logrus, which Dapr's logger stands on, spells one level differently. */
const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
  fatal: "fatal",
};

/** Fields that would hide the line's own are renamed, as logrus does. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["time", "level", "msg"]);

/** Values of these characters alone stand without quotes in text lines. */
const BARE_VALUE = /^[A-Za-z0-9\-._/@^+]*$/;

/** `time="…" level=info msg="…" app_id=… instance=… scope=… type=log ver=…`, further fields among the last, sorted. */
export function textFormat(identity: LineIdentity): LineFormat {
  const identityFields = identityOf(identity);
  const plainTail = textFields(identityFields);
  return (level, time, message, fields) => {
    const tail = fields === undefined ? plainTail : textFields(merge(identityFields, fields));
    const text = message === "" ? "" : ` msg=${textValue(message)}`;
    return `time="${time}" level=${LEVEL_NAMES[level]}${text}${tail}\n`;
  };
}

/** One JSON object a line with the same names, all sorted, escaped as Go's encoding/json does. */
export function jsonFormat(identity: LineIdentity): LineFormat {
  const identityFields = identityOf(identity);
  return (level, time, message, fields) => {
    const all: Record<string, string | number | boolean> =
      fields === undefined ? { ...identityFields } : merge(identityFields, fields);
    all["time"] = time;
    all["level"] = LEVEL_NAMES[level];
    all["msg"] = message;
    const members = Object.keys(all)
      .sort()
      .map((name) => `${jsonText(name)}:${jsonValue(all[name])}`);
    return `{${members.join(",")}}\n`;
  };
}

function identityOf(identity: LineIdentity): LogFields {
  const fields = { instance: identity.instance, scope: identity.scope, type: "log", ver: identity.version };
  return identity.appId === "" ? fields : { app_id: identity.appId, ...fields };
}

function merge(identity: LogFields, fields: LogFields): Record<string, string | number | boolean> {
  const all: Record<string, string | number | boolean> = { ...identity };
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) {
      all[OWN_FIELDS.has(name) ? `fields.${name}` : name] = value;
    }
  }
  return all;
}

function textFields(fields: LogFields): string {
  let text = "";
  for (const name of Object.keys(fields).sort()) {
    text += ` ${name}=${textValue(String(fields[name]))}`;
  }
  return text;
}

function textValue(value: string): string {
  return BARE_VALUE.test(value) ? value : goQuote(value);
}

function jsonValue(value: string | number | boolean | undefined): string {
  return typeof value === "string" ? jsonText(value) : String(value);
}

function jsonText(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
