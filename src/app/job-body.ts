import { fromBinary, toJsonString } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { readJsonValue } from "../wire/codecs/json-value.ts";
import type { JobEvent } from "./types.ts";

/** What jobs that were scheduled over HTTP hold: any JSON. */
const JSON_VALUE = "type.googleapis.com/google.protobuf.Value";

const NO_BYTES = new Uint8Array(0);

/** UTF-8 of the spaces beyond ASCII (Unicode's White_Space), by which Go trims too. */
const WIDE_SPACES: readonly string[] = [
  "\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
  "\u2028\u2029\u202f\u205f\u3000",
].flatMap((characters) => Array.from(characters, (character) => Buffer.from(character).toString("latin1")));

/**
 * The body of a trigger for an HTTP app: JSON for a JSON value, otherwise the bytes as they are without the space around
 * them, as with daprd.
 *
 * @throws Error when the bytes are no value
 */
export function jobBody(data: JobEvent["data"]): Uint8Array {
  if (data === undefined) {
    return NO_BYTES;
  }
  if (data.typeUrl !== JSON_VALUE) {
    return trimmed(data.value);
  }
  const json = readJsonValue(data.value);
  if (json !== undefined) {
    return Buffer.from(JSON.stringify(json));
  }
  const value = fromBinary(ValueSchema, data.value);
  return value.kind.case === undefined ? NO_BYTES : Buffer.from(toJsonString(ValueSchema, value));
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let start = 0;
  let end = bytes.length;
  for (let length = -1; length !== 0; start += length) {
    length = start < end ? spaceAt(bytes, start, 1) : 0;
  }
  for (let length = -1; length !== 0; end -= length) {
    length = end > start ? spaceAt(bytes, end - 1, -1) : 0;
  }
  return bytes.subarray(start, end);
}

/** Bytes of the space that begins, or backwards ends, there; 0 for none. */
function spaceAt(bytes: Uint8Array, at: number, direction: 1 | -1): number {
  const byte = bytes[at] ?? 0;
  if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) {
    return 1;
  }
  if (byte < 0x80) {
    return 0;
  }
  for (const space of WIDE_SPACES) {
    const from = direction === 1 ? at : at - space.length + 1;
    if (from >= 0 && Buffer.from(bytes.subarray(from, from + space.length)).toString("latin1") === space) {
      return space.length;
    }
  }
  return 0;
}
