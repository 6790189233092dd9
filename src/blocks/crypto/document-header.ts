import { DocumentError } from "./document-error.ts";
import { SCHEME_NAME, SEGMENT_BYTES } from "./file-key.ts";

const NEWLINE = 0x0a;
/** What is missing, by the number of lines that are there. */
const MISSING = ["scheme name not found", "manifest not found", "message authentication code not found"] as const;

/** The second and third line of a document, and what follows them. */
export interface DocumentHeader {
  readonly manifest: Uint8Array;
  readonly mac: Uint8Array;
  /** Chunks of the first segments that came along. */
  readonly rest: readonly Uint8Array[];
}

/**
 * Reads the three lines at the beginning, together of at most a segment, and no more chunks than they take.
 * @throws DocumentError
 */
export async function readHeader(source: AsyncIterator<Uint8Array>): Promise<DocumentHeader> {
  const held = Buffer.allocUnsafe(SEGMENT_BYTES);
  const lines: Uint8Array[] = [];
  let length = 0;
  let start = 0;
  for (;;) {
    const result = length === SEGMENT_BYTES ? { done: true as const } : await source.next();
    if (result.done === true) {
      throw new DocumentError(`invalid header: ${MISSING[lines.length] ?? ""}`);
    }
    const taken = result.value.subarray(0, SEGMENT_BYTES - length);
    held.set(taken, length);
    const known = held.subarray(0, length + taken.length);
    for (let end = known.indexOf(NEWLINE, length); end !== -1; end = known.indexOf(NEWLINE, start)) {
      lines.push(lineOf(known, start, end, lines.length === 0));
      start = end + 1;
      const [, manifest, mac] = lines;
      if (manifest !== undefined && mac !== undefined) {
        return { manifest, mac, rest: [known.subarray(start), result.value.subarray(taken.length)] };
      }
    }
    length = known.length;
  }
}

function lineOf(bytes: Buffer, start: number, end: number, first: boolean): Uint8Array {
  if (end === start) {
    throw new DocumentError("invalid header: invalid format");
  }
  if (first && bytes.toString("latin1", start, end) !== SCHEME_NAME) {
    throw new DocumentError("invalid header: unsupported scheme");
  }
  return bytes.subarray(start, end);
}
