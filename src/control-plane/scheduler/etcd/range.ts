import { create } from "@bufbuild/protobuf";
import {
  type RangeRequest,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  type RangeResponse,
  RangeResponseSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import { PAGE_KEYS, RANGE_BYTES_MAX } from "../limits.ts";
import type { KeyRange, KeyStore, KeyValue } from "../store/key-store.ts";
import { rangeAfter } from "../store/keys.ts";
import { etcdErrors } from "./etcd-errors.ts";
import { headerOf, rangeOf, wireKeyValue } from "./etcd-values.ts";

/**
 * `Range`. Only the newest revision can be read: the store keeps no older ones, which is as if etcd had compacted them.
 * @throws GrpcError
 */
export async function readRange(store: KeyStore, request: RangeRequest): Promise<RangeResponse> {
  checkRevision(store, request.revision);
  const range = rangeOf(request.key, request.rangeEnd);
  const found = "key" in range ? await one(store, range.key) : await many(store, range, request);
  const sorted = sort(found.kvs.filter(filterOf(request)), request);
  const limit = Number(request.limit);
  const kvs = limit > 0 ? sorted.slice(0, limit) : sorted;
  return create(RangeResponseSchema, {
    header: headerOf(store),
    kvs: request.countOnly ? [] : kvs.map((kv) => wireKeyValue(request.keysOnly ? { ...kv, value: NOTHING } : kv)),
    more: !request.countOnly && found.count > kvs.length && limit > 0,
    count: BigInt(found.count),
  });
}

const NOTHING = new Uint8Array();

interface Found {
  readonly kvs: readonly KeyValue[];
  /** Keys of the range, also those beyond the limit. */
  readonly count: number;
}

function checkRevision(store: KeyStore, revision: bigint): void {
  if (revision > BigInt(store.revision)) {
    throw etcdErrors.futureRevision();
  }
  if (revision > 0n && revision < BigInt(store.revision)) {
    throw etcdErrors.compacted();
  }
}

async function one(store: KeyStore, key: string): Promise<Found> {
  const kv = await store.get(key);
  return kv === undefined ? { kvs: [], count: 0 } : { kvs: [kv], count: 1 };
}

async function many(store: KeyStore, range: KeyRange, request: RangeRequest): Promise<Found> {
  const count = await store.count(range);
  if (request.countOnly) {
    return { kvs: [], count };
  }
  const needed = isPlain(request) && request.limit > 0n ? Number(request.limit) : Infinity;
  const keysOnly = request.keysOnly && request.sortTarget !== RangeRequest_SortTarget.VALUE;
  const kvs: KeyValue[] = [];
  let bytes = 0;
  for (let rest = range; ;) {
    const page = await store.list(rest, { limit: Math.min(PAGE_KEYS, needed - kvs.length), keysOnly });
    for (const kv of page) {
      kvs.push(kv);
      bytes += kv.key.length + kv.value.length;
    }
    if (bytes > RANGE_BYTES_MAX) {
      throw etcdErrors.tooLarge(`the range has more than ${RANGE_BYTES_MAX} bytes: give it a limit`);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_KEYS || kvs.length >= needed) {
      return { kvs, count };
    }
    rest = rangeAfter(rest, last.key);
  }
}

/** In the order of keys and without filters, so that a limit can be the store's. */
function isPlain({ sortOrder, sortTarget, ...request }: RangeRequest): boolean {
  return (
    (sortOrder === RangeRequest_SortOrder.NONE || sortOrder === RangeRequest_SortOrder.ASCEND) &&
    sortTarget === RangeRequest_SortTarget.KEY &&
    request.minModRevision === 0n &&
    request.maxModRevision === 0n &&
    request.minCreateRevision === 0n &&
    request.maxCreateRevision === 0n
  );
}

function filterOf(request: RangeRequest): (kv: KeyValue) => boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const within = (revision: number, min: bigint, max: bigint): boolean =>
    (min === 0n || BigInt(revision) >= min) && (max === 0n || BigInt(revision) <= max);
  return ({ modRevision, createRevision }) =>
    within(modRevision, minModRevision, maxModRevision) && within(createRevision, minCreateRevision, maxCreateRevision);
}

function sort(kvs: readonly KeyValue[], { sortOrder, sortTarget }: RangeRequest): readonly KeyValue[] {
  // As in etcd: a target without an order sorts upwards.
  if (sortOrder === RangeRequest_SortOrder.NONE && sortTarget === RangeRequest_SortTarget.KEY) {
    return kvs;
  }
  const sorted = kvs.toSorted(comparison(sortTarget));
  return sortOrder === RangeRequest_SortOrder.DESCEND ? sorted.toReversed() : sorted;
}

function comparison(target: RangeRequest_SortTarget): (a: KeyValue, b: KeyValue) => number {
  switch (target) {
    case RangeRequest_SortTarget.KEY:
      return (a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));
    case RangeRequest_SortTarget.VERSION:
      return (a, b) => a.version - b.version;
    case RangeRequest_SortTarget.CREATE:
      return (a, b) => a.createRevision - b.createRevision;
    case RangeRequest_SortTarget.MOD:
      return (a, b) => a.modRevision - b.modRevision;
    case RangeRequest_SortTarget.VALUE:
      return (a, b) => Buffer.compare(a.value, b.value);
    default:
      throw etcdErrors.invalidSort();
  }
}
