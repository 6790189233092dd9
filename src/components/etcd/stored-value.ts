import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { errorMessage } from "../../kit/error-message.ts";
import { ValueSchema } from "../../wire/gen/dapr/proto/components/state/v2/value_pb.js";
import { ComponentError } from "../spi/errors.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";

const NANOS_PER_MS = 1_000_000;

export interface DecodedValue {
  readonly data: Uint8Array;
  readonly metadata: RequestMetadata | undefined;
}

/** How a version of the component stores a value. */
export interface StoredValues {
  /** @param ttlSeconds undefined: it stays */
  encode(data: Uint8Array, ttlSeconds: number | undefined, nowMs: number): Uint8Array;
  /** @throws ComponentError for bytes that another version wrote */
  decode(stored: Uint8Array): DecodedValue;
}

/** Version v1. */
export const BARE_VALUES: StoredValues = {
  encode: (data) => data,
  decode: (data) => ({ data, metadata: undefined }),
};

/** Version v2: data, time and lifetime in one message. */
export const ENVELOPED_VALUES: StoredValues = {
  encode(data, ttlSeconds, nowMs) {
    const ts = { seconds: BigInt(Math.floor(nowMs / 1_000)), nanos: (nowMs % 1_000) * NANOS_PER_MS };
    // Dapr writes an empty lifetime for what stays.
    const ttl = { seconds: BigInt(ttlSeconds ?? 0), nanos: 0 };
    return toBinary(ValueSchema, create(ValueSchema, { data, ts, ttl }));
  },
  decode(stored) {
    let value;
    try {
      value = fromBinary(ValueSchema, stored);
    } catch (cause) {
      throw new ComponentError("invalidRequest", `the value is not one of state.etcd v2: ${errorMessage(cause)}`, {
        cause,
      });
    }
    const { data, ts, ttl } = value;
    const lifetimeSeconds = Number(ttl?.seconds ?? 0n);
    return {
      data,
      metadata:
        lifetimeSeconds > 0
          ? { ttlExpireTime: rfc3339((Number(ts?.seconds ?? 0n) + lifetimeSeconds) * 1_000) }
          : undefined,
    };
  },
};

function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
