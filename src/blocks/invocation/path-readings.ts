import { cleanPath } from "../../app/clean-path.ts";

/** Layers of escapes that a path is read through; one with more is refused where access is controlled. */
export const ESCAPE_LAYERS_MAX = 4;
/** Characters of a path that is read so: what takes longer than milliseconds is refused. */
export const READ_CHARACTERS_MAX = 8_192;

const ESCAPES = /(?:%[0-9a-fA-F]{2})+/g;
/** ASCII in more bytes than its one, which RFC 3629 forbids and careless decoders read; one character stands for one byte. */
const OVERLONG = /(?:([\xc0\xc1])|\xe0([\x80\x81])|\xf0\x80([\x80\x81]))([\x80-\xbf])/g;
/** Where apps may end a path: at a NUL, and at what begins a query or a fragment. */
const CUT = /[\0?#].*$/s;
/** What some frameworks cut off a segment. */
const PARAMETERS = /;[^/]*/g;

/** Whether there is more than one way to read a canonical path. */
export function hasReadings(path: string): boolean {
  return path.includes("%") || path.includes(";") || path.includes("\\");
}

/**
 * What an HTTP app may take a canonical path for, the path itself among it: escapes that it holds (a caller wrote `%252F`,
 * or its gRPC call has `%2F`) reach the app as they are, and are decoded there once, or by a careless app again and again;
 * some frameworks cut parameters off segments, or take a backslash for a slash.
 *
 * @returns undefined for a path with more layers of escapes, or more characters, than are read
 */
export function pathReadings(path: string): string[] | undefined {
  if (path.length > READ_CHARACTERS_MAX) {
    return undefined;
  }
  const readings = new Set<string>();
  let text = path;
  for (let layer = 0; ; layer += 1) {
    readings.add(cleanPath(text));
    readings.add(cleanPath(text.replace(CUT, "").replace(PARAMETERS, "").replaceAll("\\", "/")));
    const next = text.replace(ESCAPES, decodeBytes);
    if (next === text) {
      return [...readings];
    }
    if (layer === ESCAPE_LAYERS_MAX) {
      return undefined;
    }
    text = next;
  }
}

function decodeBytes(escapes: string): string {
  const bytes = Buffer.from(escapes.replaceAll("%", ""), "hex").toString("latin1");
  return Buffer.from(bytes.replace(OVERLONG, shortened), "latin1").toString("utf8");
}

function shortened(_: string, two = "", three = "", four = "", last = ""): string {
  const high = (two + three + four).charCodeAt(0) & 1;
  return String.fromCharCode((high << 6) | (last.charCodeAt(0) & 0x3f));
}
