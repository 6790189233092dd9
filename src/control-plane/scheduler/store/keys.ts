import type { KeyRange } from "./key-store.ts";

/** Dapr's layout of the scheduler's keys. */
export const JOBS = "dapr/jobs/";
export const COUNTERS = "dapr/counters/";
export const LEADERSHIP = "dapr/leadership/";

/** All keys that begin with a text. */
export function prefixRange(prefix: string): KeyRange {
  const from = Buffer.from(prefix);
  return { from, to: endOf(from) };
}

/** The keys of a range behind one of them. */
export function rangeAfter({ to }: KeyRange, key: string): KeyRange {
  return { from: Buffer.concat([Buffer.from(key), Buffer.of(0)]), to };
}

export function contains({ from, to }: KeyRange, key: Uint8Array): boolean {
  return Buffer.compare(key, from) >= 0 && (to === undefined || Buffer.compare(key, to) < 0);
}

/** The first bytes behind all that begin with a prefix; undefined behind the last of all. */
function endOf(prefix: Uint8Array): Uint8Array | undefined {
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at -= 1) {
    const byte = end[at] ?? 0;
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.subarray(0, at + 1);
    }
  }
  return undefined;
}
