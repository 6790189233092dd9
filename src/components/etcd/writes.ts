import { create } from "@bufbuild/protobuf";
import {
  type Compare,
  Compare_CompareTarget,
  CompareSchema,
  type RequestOp,
  RequestOpSchema,
  type TxnRequest,
  TxnRequestSchema,
  type TxnResponse,
} from "../../wire/gen/etcdserverpb/rpc_pb.js";
import type { KeyValue } from "../../wire/gen/mvccpb/kv_pb.js";
import type { ComponentError } from "../spi/errors.ts";
import { etagMismatch } from "../spi/etag-errors.ts";

/** One write, ready to be sent. */
export interface EtcdWrite {
  readonly key: Uint8Array;
  /** As users know it, with the path before it. */
  readonly keyText: string;
  /** Undefined or empty: none. */
  readonly etag: string | undefined;
  /** It must not exist, where there is no etag. */
  readonly firstWrite: boolean;
  /** What it must hold to the byte, instead of an etag. */
  readonly held?: Uint8Array;
  /** Undefined: a delete. */
  readonly put: { readonly value: Uint8Array; readonly lease: bigint } | undefined;
}

/** The largest revision; an etag that is no number matches none, as in Dapr. */
const NO_REVISION = 2n ** 63n - 1n;

/**
 * All writes or none, in one step: what an etag or `first-write` asks is compared as things are before the first of them.
 * etcd takes no key twice, so that of several writes of one key the last stands, as if all were done in turn.
 */
export function txnOf(writes: readonly EtcdWrite[]): TxnRequest {
  const conditional = writes.filter(isConditional);
  const last = new Map(writes.map((write) => [write.keyText, write]));
  return create(TxnRequestSchema, {
    compare: conditional.map(compareOf),
    success: Array.from(last.values(), operationOf),
    failure: conditional.map(({ key, held }) =>
      create(RequestOpSchema, { request: { case: "requestRange", value: { key, keysOnly: held === undefined } } }),
    ),
  });
}

export function isConditional({ etag = "", firstWrite, held }: EtcdWrite): boolean {
  return etag !== "" || firstWrite || held !== undefined;
}

/** Whether the first write, a fence, is why nothing was written. */
export function isFenceBroken(fence: EtcdWrite, { responses }: TxnResponse): boolean {
  const answer = responses[0]?.response;
  const current = answer?.case === "responseRange" ? answer.value.kvs[0] : undefined;
  return fence.held === undefined || current === undefined
    ? fence.held !== undefined || current !== undefined
    : Buffer.compare(fence.held, current.value) !== 0;
}

/** Why nothing was written, by how the keys are; a fence among them has been found whole. */
export function mismatchOf(writes: readonly EtcdWrite[], { responses }: TxnResponse): ComponentError {
  const conditional = writes.filter(isConditional);
  for (const [index, write] of conditional.entries()) {
    const answer = responses[index]?.response;
    const current = answer?.case === "responseRange" ? answer.value.kvs[0] : undefined;
    const reason = reasonOf(write, current);
    if (reason !== undefined) {
      return etagMismatch(reason);
    }
  }
  return etagMismatch("another write came in between");
}

function reasonOf({ keyText, etag = "", held }: EtcdWrite, current: KeyValue | undefined): string | undefined {
  if (held !== undefined) {
    return undefined;
  }
  if (etag === "") {
    return current === undefined ? undefined : "item already exists and no etag was passed";
  }
  if (current === undefined) {
    return `state not exist or expired for key=${keyText}`;
  }
  const revision = String(current.modRevision);
  return revision === etag ? undefined : `state etag not match for key=${keyText}: current=${revision}, expect=${etag}`;
}

function compareOf({ key, etag = "", held }: EtcdWrite): Compare {
  if (held !== undefined) {
    return create(CompareSchema, {
      key,
      target: Compare_CompareTarget.VALUE,
      targetUnion: { case: "value", value: held },
    });
  }
  return create(
    CompareSchema,
    etag === ""
      ? { key, target: Compare_CompareTarget.CREATE, targetUnion: { case: "createRevision", value: 0n } }
      : { key, target: Compare_CompareTarget.MOD, targetUnion: { case: "modRevision", value: revisionOf(etag) } },
  );
}

function revisionOf(etag: string): bigint {
  const revision = /^[0-9]{1,19}$/.test(etag) ? BigInt(etag) : NO_REVISION;
  // No key has revision 0, but etcd takes it for one that does not exist.
  return revision > 0n && revision < NO_REVISION ? revision : NO_REVISION;
}

function operationOf({ key, put }: EtcdWrite): RequestOp {
  return create(RequestOpSchema, {
    request:
      put === undefined
        ? { case: "requestDeleteRange", value: { key } }
        : { case: "requestPut", value: { key, value: put.value, lease: put.lease } },
  });
}
