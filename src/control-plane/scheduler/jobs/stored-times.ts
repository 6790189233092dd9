import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** A protobuf timestamp in milliseconds, rounded up: what waits for it must not be early. */
export function msOf({ seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">): number {
  return Number(seconds) * 1_000 + Math.ceil(nanos / 1e6);
}

/** The fields of a timestamp for whole milliseconds. */
export function timestampOf(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1_000) * 1e6 };
}

/** A protobuf duration in milliseconds, rounded up. */
export function durationMs(duration: Pick<Duration, "seconds" | "nanos"> | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1_000 + Math.ceil(duration.nanos / 1e6);
}
