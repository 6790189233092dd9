import { FRAME, PREFACE } from "../../src/net/h2/protocol/frames.ts";

/** HTTP/2 frames and HPACK by hand, also those that no library would write. */

/** One frame, whatever its parts mean. */
export function frame(type: number, flags: number, id: number, payload: Uint8Array = NOTHING): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(id, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** SETTINGS with parameters and their values. */
export function settings(...entries: readonly (readonly [setting: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6);
  entries.forEach(([setting, value], i) => {
    payload.writeUInt16BE(setting, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frame(FRAME.settings, 0, 0, payload);
}

/** A frame with one number: RST_STREAM or WINDOW_UPDATE. */
export function numberFrame(type: number, id: number, value: number): Buffer {
  return frame(type, 0, id, uint32(value));
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The same frame many times. */
export function times(count: number, bytes: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

/** A field that does not enter the table, or, with `inserts`, one that does; no Huffman code. */
export function literal(name: string, value: string, inserts = false): Buffer {
  return Buffer.concat([Buffer.from([inserts ? 0x40 : 0]), plain(name), plain(value)]);
}

/** A field whose value is already in the Huffman code, or pretends to be. */
export function huffman(name: string, coded: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0]), plain(name), integer(coded.length, 0x7f, 0x80), coded]);
}

/** The head of `POST <path>`, its first five fields. */
export function requestFields(path: string): Buffer {
  return Buffer.concat([Buffer.from([0x83, 0x86]), literal(":path", path), literal(":authority", "a")]);
}

/** What a client begins with. */
export const HELLO: Buffer = Buffer.concat([Buffer.from(PREFACE, "latin1"), settings()]);

function plain(text: string): Buffer {
  return Buffer.concat([integer(text.length, 0x7f, 0), Buffer.from(text, "latin1")]);
}

/** An integer of HPACK behind a prefix (RFC 7541 section 5.1). */
export function integer(value: number, mask: number, prefix: number): Buffer {
  if (value < mask) return Buffer.from([prefix | value]);
  const bytes = [prefix | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const NOTHING = new Uint8Array(0);
