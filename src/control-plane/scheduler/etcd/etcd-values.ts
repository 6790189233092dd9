import { create } from "@bufbuild/protobuf";
import { type KeyValue as WireKeyValue, KeyValueSchema } from "../../../wire/gen/mvccpb/kv_pb.js";
import { type ResponseHeader, ResponseHeaderSchema } from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import type { KeyRange, KeyStore, KeyValue } from "../store/key-store.ts";
import { etcdErrors } from "./etcd-errors.ts";

/** The one member of a cluster of one. */
export const MEMBER_ID = 1n;
const CLUSTER_ID = 1n;
export const RAFT_TERM = 1n;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function headerOf(store: KeyStore): ResponseHeader {
  return create(ResponseHeaderSchema, {
    clusterId: CLUSTER_ID,
    memberId: MEMBER_ID,
    revision: BigInt(store.revision),
    raftTerm: RAFT_TERM,
  });
}

export function wireKeyValue({ key, value, createRevision, modRevision, version, lease }: KeyValue): WireKeyValue {
  return create(KeyValueSchema, {
    key: Buffer.from(key),
    value,
    createRevision: BigInt(createRevision),
    modRevision: BigInt(modRevision),
    version: BigInt(version),
    lease: BigInt(lease),
  });
}

/** @throws GrpcError for no key, and for one that is not UTF-8, which this store does not have */
export function keyText(key: Uint8Array): string {
  if (key.length === 0) {
    throw etcdErrors.emptyKey();
  }
  try {
    return UTF8.decode(key);
  } catch {
    throw etcdErrors.invalid("the key is not UTF-8, and others cannot be stored by the scheduler");
  }
}

/** etcd's three ways to say a range: the key alone, up to an end, or (the byte 0) all from the key on. */
export function rangeOf(key: Uint8Array, rangeEnd: Uint8Array): KeyRange | { readonly key: string } {
  if (rangeEnd.length === 0) {
    return { key: keyText(key) };
  }
  return { from: isZero(key) ? new Uint8Array() : key, to: isZero(rangeEnd) ? undefined : rangeEnd };
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === 0;
}

/** A lease's number. @throws GrpcError for one that JavaScript has no exact number for */
export function leaseNumber(id: bigint): number {
  if (id < 0n || id > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw etcdErrors.invalid(`lease ids are between 0 and ${Number.MAX_SAFE_INTEGER}`);
  }
  return Number(id);
}
