import type { HeaderList } from "../net/http/types.ts";
import type { CallerStamps } from "./messages.ts";
import type { ProtoReader } from "../wire/codecs/proto-reader.ts";
import type { ProtoWriter } from "../wire/codecs/proto-writer.ts";

/** Fields of a map entry and of `ListStringValue`, and their tags. */
const KEY = 1;
const VALUE = 2;
const VALUES = 1;
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const VALUES_TAG = 0x0a;

/** Bytes that an entry takes besides its key and value; a guess. */
const ENTRY_OVERHEAD_BYTES = 12;

/** Go's server takes these out of a request's headers; the rest only this sidecar may say. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "host",
  "transfer-encoding",
  "trailer",
  "dapr-caller-app-id",
  "dapr-caller-namespace",
  "dapr-callee-app-id",
  "destination-app-id",
]);

const FORWARDED: ReadonlySet<string> = new Set(["x-forwarded-for", "x-forwarded-host", "forwarded"]);

/** A likely size of a list's map, in bytes. */
export function headerMapGuess(headers: HeaderList): number {
  let size = 0;
  for (const text of headers) {
    size += text.length + ENTRY_OVERHEAD_BYTES;
  }
  return size;
}

/**
 * Writes headers as a `map<string, ListStringValue>`, the values of one name together. HTTP names are written as Go's maps
 * hold them, because daprd compares them so; metadata names as they are.
 */
export function writeHeaderMap(writer: ProtoWriter, field: number, headers: HeaderList, fromHttp: boolean): void {
  writeEntries(writer, field, headers, lowerNames(headers), fromHttp, undefined);
}

/** The same for a request, with what the calling sidecar adds. */
export function writeRequestMap(
  writer: ProtoWriter,
  field: number,
  headers: HeaderList,
  fromHttp: boolean,
  stamps: CallerStamps,
): void {
  const names = lowerNames(headers);
  writeEntries(writer, field, headers, names, fromHttp, NEVER_SENT);
  appendForwarded(writer, field, headers, fromHttp ? names : [], "X-Forwarded-For", stamps.forwardedFor);
  appendForwarded(writer, field, headers, fromHttp ? names : [], "X-Forwarded-Host", stamps.forwardedHost);
  appendForwarded(writer, field, headers, fromHttp ? names : [], "Forwarded", stamps.forwarded);
  writeEntry(writer, field, "destination-app-id", stamps.calleeAppId);
  writeEntry(writer, field, "dapr-caller-namespace", stamps.callerNamespace);
  writeEntry(writer, field, "dapr-caller-app-id", stamps.callerAppId);
  writeEntry(writer, field, "dapr-callee-app-id", stamps.calleeAppId);
}

/** Reads one entry of a map into a flat list. */
export function readHeaderEntry(reader: ProtoReader, into: string[]): void {
  const start = into.length;
  let key = "";
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === KEY_TAG) {
      key = reader.rawText();
    } else if (tag === VALUE_TAG) {
      readValues(reader, key, into);
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
  // The key may come behind its values.
  for (let index = start; index < into.length; index += 2) {
    into[index] = key;
  }
}

function readValues(reader: ProtoReader, key: string, into: string[]): void {
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === VALUES_TAG) {
      into.push(key, reader.rawText());
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
}

function lowerNames(headers: HeaderList): string[] {
  const names: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    names.push((headers[index] as string).toLowerCase());
  }
  return names;
}

function writeEntries(
  writer: ProtoWriter,
  field: number,
  headers: HeaderList,
  names: readonly string[],
  fromHttp: boolean,
  except: ReadonlySet<string> | undefined,
): void {
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    const merged = except !== undefined && fromHttp && FORWARDED.has(name);
    if (merged || except?.has(name) === true || names.indexOf(name) !== index) {
      continue;
    }
    const entry = writer.begin(field, 0);
    if (fromHttp) {
      writer.headerName(KEY, name);
    } else {
      writer.rawText(KEY, name);
    }
    const list = writer.begin(VALUE, 0);
    for (let at = index; at !== -1; at = names.indexOf(name, at + 1)) {
      writer.rawText(VALUES, headers[at * 2 + 1] as string);
    }
    writer.end(list);
    writer.end(entry);
  }
}

/** A proxy adds itself behind those that a request has passed. */
function appendForwarded(
  writer: ProtoWriter,
  field: number,
  headers: HeaderList,
  names: readonly string[],
  key: string,
  value: string,
): void {
  const lower = key.toLowerCase();
  const first = names.indexOf(lower);
  if (value === "" && first === -1) {
    return;
  }
  const entry = writer.begin(field, 0);
  writer.rawText(KEY, key);
  const list = writer.begin(VALUE, 0);
  for (let at = first; at !== -1; at = names.indexOf(lower, at + 1)) {
    writer.rawText(VALUES, headers[at * 2 + 1] as string);
  }
  if (value !== "") {
    writer.rawText(VALUES, value);
  }
  writer.end(list);
  writer.end(entry);
}

function writeEntry(writer: ProtoWriter, field: number, key: string, value: string): void {
  const entry = writer.begin(field, 0);
  writer.rawText(KEY, key);
  const list = writer.begin(VALUE, 0);
  writer.rawText(VALUES, value);
  writer.end(list);
  writer.end(entry);
}
