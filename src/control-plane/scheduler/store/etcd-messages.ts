import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../../errors/grpc-status.ts";
import { GrpcError } from "../../../net/grpc/status.ts";
import {
  type Compare,
  Compare_CompareTarget,
  CompareSchema,
  type RequestOp,
  RequestOpSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import type { KeyValue as WireKeyValue } from "../../../wire/gen/mvccpb/kv_pb.js";
import {
  type Condition,
  type KeyOperation,
  type KeyRange,
  KeyStoreError,
  type KeyStoreErrorKind,
  type KeyValue,
} from "./key-store.ts";

/** As an end: all keys from the first on. */
const NO_END = Buffer.of(0);
/** As a beginning: the first of all keys. */
const FIRST_KEY = Buffer.of(0);

/** A failed call as the store's callers know it; what is no failed call stays what it is. */
export function keyStoreError(error: unknown): unknown {
  if (!GrpcError.is(error)) {
    return error;
  }
  return new KeyStoreError(kindOf(error), error.message, { cause: error });
}

function kindOf({ code, message }: GrpcError): KeyStoreErrorKind {
  if (message.includes("database space exceeded")) {
    return "no space";
  }
  if (message.includes("request is too large") || message.includes("larger than max")) {
    return "too large";
  }
  if (message.includes("too many requests")) {
    return "overloaded";
  }
  return code === GRPC_STATUS.CANCELLED ? "closed" : "failed";
}

/** Our own end refuses the answer. */
export function isTooLarge(error: unknown): boolean {
  return GrpcError.is(error) && error.code === GRPC_STATUS.RESOURCE_EXHAUSTED && error.message.includes("larger");
}

/** A key as the store's callers know it; numbers of leases that others have granted may lose their last digits. */
export function keyValueOf({ key, value, createRevision, modRevision, version, lease }: WireKeyValue): KeyValue {
  return {
    key: Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString(),
    value,
    createRevision: Number(createRevision),
    modRevision: Number(modRevision),
    version: Number(version),
    lease: Number(lease),
  };
}

export function wireRange({ from, to }: KeyRange): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  return { key: from.length === 0 ? FIRST_KEY : from, rangeEnd: to ?? NO_END };
}

export function compareOf({ key, modRevision }: Condition): Compare {
  return create(CompareSchema, {
    key: Buffer.from(key),
    target: Compare_CompareTarget.MOD,
    targetUnion: { case: "modRevision", value: BigInt(modRevision) },
  });
}

export function operationOf(operation: KeyOperation): RequestOp {
  switch (operation.kind) {
    case "put": {
      const { key, value, lease = 0 } = operation;
      return create(RequestOpSchema, {
        request: { case: "requestPut", value: { key: Buffer.from(key), value, lease: BigInt(lease) } },
      });
    }
    case "delete":
      return create(RequestOpSchema, {
        request: { case: "requestDeleteRange", value: { key: Buffer.from(operation.key) } },
      });
    case "delete range":
      return create(RequestOpSchema, {
        request: { case: "requestDeleteRange", value: wireRange(operation.range) },
      });
  }
}
