import { nextTurn } from "../../kit/turn.ts";
import { DocumentError } from "./document-error.ts";

/** Works on one segment. The bytes are the caller's again when it returns. */
export type SegmentWork = (segment: Uint8Array, number: number, last: boolean) => Uint8Array;

/** Segments of 64 KiB between two turns of the event loop: about a millisecond of work. */
const SEGMENTS_PER_TURN = 16;
const SEGMENTS_MAX = 2 ** 32;

/**
 * Cuts a stream into segments and gives what the work makes of each, as soon as its reader wants it. A segment waits until
 * it is known whether it is the last one. An empty stream has no segments. What is held is one segment.
 */
export async function* mapSegments(
  source: AsyncIterable<Uint8Array>,
  segmentBytes: number,
  work: SegmentWork,
): AsyncGenerator<Uint8Array, void> {
  const held = Buffer.allocUnsafe(segmentBytes);
  let heldBytes = 0;
  let number = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (rest.length > 0) {
      let whole: Uint8Array | undefined;
      if (heldBytes === segmentBytes) {
        whole = held;
        heldBytes = 0;
      } else if (heldBytes === 0 && rest.length > segmentBytes) {
        whole = rest.subarray(0, segmentBytes);
        rest = rest.subarray(segmentBytes);
      } else {
        const taken = rest.subarray(0, segmentBytes - heldBytes);
        held.set(taken, heldBytes);
        heldBytes += taken.length;
        rest = rest.subarray(taken.length);
      }
      if (whole !== undefined) {
        if (number === SEGMENTS_MAX - 1) {
          throw new DocumentError("input stream is too large");
        }
        yield work(whole, number, false);
        number += 1;
        if (number % SEGMENTS_PER_TURN === 0) {
          await nextTurn();
        }
      }
    }
  }
  if (heldBytes > 0) {
    yield work(held.subarray(0, heldBytes), number, true);
  }
}
