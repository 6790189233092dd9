import { createHash } from "node:crypto";

/** Hexadecimal digits of a digest, repeated to about 1 KB. */
const PAYLOAD_REPEATS = 16;

/** What a row holds: everything in it follows from key and number, so that a torn row gives itself away. */
export function valueOf(key: string, seq: number): string {
  return JSON.stringify({ key, seq, payload: payloadOf(key, seq) });
}

/** The number in a row's value, or undefined where the value is not whole. */
export function seqOf(key: string, value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { key: held, seq, payload } = value as Record<string, unknown>;
  return held === key && typeof seq === "number" && payload === payloadOf(key, seq) ? seq : undefined;
}

function payloadOf(key: string, seq: number): string {
  return createHash("sha256").update(`${key}:${seq}`).digest("hex").repeat(PAYLOAD_REPEATS);
}
