import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** A protobuf timestamp in milliseconds, rounded up: what waits for it must not be early. */
export function msOf({ seconds, nanos }: Pick<Timestamp, "seconds" | "nanos">): number {
  return Number(seconds) * 1_000 + Math.ceil(nanos / 1e6);
}

/** A timestamp of whole milliseconds. */
export function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1_000);
  return {
    $typeName: "google.protobuf.Timestamp",
    seconds: BigInt(seconds),
    nanos: (ms - seconds * 1_000) * 1e6,
  };
}

/** A protobuf duration in milliseconds, rounded up. */
export function durationMs(duration: Pick<Duration, "seconds" | "nanos"> | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1_000 + Math.ceil(duration.nanos / 1e6);
}
