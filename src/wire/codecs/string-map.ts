import type { ProtoReader } from "./proto-reader.ts";
import type { ProtoWriter } from "./proto-writer.ts";

/** Tags of a map entry's key and value, both text. */
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
const KEY = 1;
const VALUE = 2;

/** Bytes that an entry takes besides its key and value. */
const ENTRY_OVERHEAD_BYTES = 8;

/** Reads one entry of a `map<string, string>` field. */
export function readEntry(reader: ProtoReader, into: Record<string, string>): void {
  let key = "";
  let value = "";
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === KEY_TAG) key = reader.text();
    else if (tag === VALUE_TAG) value = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  setOwn(into, key, value);
}

/** Sets a member whatever its name, `__proto__` included. */
export function setOwn<T>(into: Record<string, T>, key: string, value: T): void {
  if (key !== "__proto__") into[key] = value;
  else Object.defineProperty(into, key, { value, writable: true, enumerable: true, configurable: true });
}

/** A likely size of a map's entries, in bytes. */
export function entriesGuess(map: Readonly<Record<string, string>>): number {
  let size = 0;
  for (const key in map) size += key.length + (map[key] as string).length + ENTRY_OVERHEAD_BYTES;
  return size;
}

/** Writes a `map<string, string>` field. */
export function writeEntries(writer: ProtoWriter, field: number, map: Readonly<Record<string, string>>): void {
  for (const key in map) {
    const value = map[key] as string;
    const mark = writer.begin(field, key.length + value.length);
    writer.anyText(KEY, key);
    writer.anyText(VALUE, value);
    writer.end(mark);
  }
}
