import { create } from "@bufbuild/protobuf";
import {
  type Compare,
  Compare_CompareResult,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  DeleteRangeResponseSchema,
  type PutRequest,
  type PutResponse,
  PutResponseSchema,
  type RequestOp,
  type ResponseOp,
  ResponseOpSchema,
  type TxnRequest,
  type TxnResponse,
  TxnResponseSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import type { Condition, KeyOperation, KeyStore, KeyValue } from "../store/key-store.ts";
import { etcdErrors } from "./etcd-errors.ts";
import { headerOf, keyText, leaseNumber, rangeOf, wireKeyValue } from "./etcd-values.ts";
import { readRange } from "./range.ts";

/** Attempts of a transaction whose keys others change meanwhile. */
const ATTEMPTS_MAX = 100;

/** What writes through etcd's API must pass. */
export interface WriteRules {
  readonly operationsMax: number;
  /** Whether there is such a lease. */
  hasLease(id: number): boolean;
  /** The quota has been reached, and nobody has said that it no longer is. */
  isFull(): boolean;
  /** A commit has reached the quota. */
  onFull(error: unknown): void;
  /** @throws GrpcError for a job that could not be triggered */
  checkPut(key: string, value: Uint8Array): void;
}

/**
 * `Txn`, and with it `Put` and `DeleteRange`. Comparisons are made on what is there now; the commit then asks for the same
 * revisions, and when somebody was faster all of it is done again. Reads of a transaction that also writes see what it wrote.
 */
export class Transactions {
  readonly #store: KeyStore;
  readonly #rules: WriteRules;

  constructor(store: KeyStore, rules: WriteRules) {
    this.#store = store;
    this.#rules = rules;
  }

  async put(request: PutRequest): Promise<PutResponse> {
    const [response] = await this.#run([], [wrap({ case: "requestPut", value: request })], []);
    return valueOf<PutResponse>(response);
  }

  async deleteRange(request: DeleteRangeRequest): Promise<DeleteRangeResponse> {
    const [response] = await this.#run([], [wrap({ case: "requestDeleteRange", value: request })], []);
    return valueOf<DeleteRangeResponse>(response);
  }

  async txn({ compare, success, failure }: TxnRequest): Promise<TxnResponse> {
    this.#check(compare, success, failure);
    let succeeded = true;
    const responses = await this.#run(compare, success, failure, (result) => (succeeded = result));
    return create(TxnResponseSchema, { header: headerOf(this.#store), succeeded, responses: [...responses] });
  }

  #check(compare: readonly Compare[], ...branches: readonly (readonly RequestOp[])[]): void {
    if (Math.max(compare.length, ...branches.map((branch) => branch.length)) > this.#rules.operationsMax) {
      throw etcdErrors.tooManyOps();
    }
    for (const branch of branches) {
      const keys = new Set<string>();
      for (const { request } of branch) {
        if (request.case === "requestTxn" || request.case === undefined) {
          throw etcdErrors.notOurs("a transaction within a transaction");
        }
        if (request.case === "requestPut") {
          const key = keyText(request.value.key);
          if (keys.has(key)) {
            throw etcdErrors.duplicateKey();
          }
          keys.add(key);
        }
      }
    }
  }

  async #run(
    compare: readonly Compare[],
    success: readonly RequestOp[],
    failure: readonly RequestOp[],
    onDecided: (succeeded: boolean) => void = ignore,
  ): Promise<readonly ResponseOp[]> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const { conditions, holds } = await this.#compare(compare);
      const branch = holds ? success : failure;
      const responses = await this.#apply(branch, conditions);
      if (responses !== undefined) {
        onDecided(holds);
        return responses;
      }
    }
    throw etcdErrors.tooManyRequests();
  }

  async #compare(compare: readonly Compare[]): Promise<{ conditions: readonly Condition[]; holds: boolean }> {
    const conditions: Condition[] = [];
    let holds = true;
    for (const one of compare) {
      if (one.rangeEnd.length > 0) {
        throw etcdErrors.notOurs("a comparison of a range");
      }
      const key = keyText(one.key);
      const kv = await this.#store.get(key);
      conditions.push({ key, modRevision: kv?.modRevision ?? 0 });
      holds &&= comparisonHolds(one, kv);
    }
    return { conditions, holds };
  }

  /** @returns undefined when the conditions no longer hold */
  async #apply(
    branch: readonly RequestOp[],
    conditions: readonly Condition[],
  ): Promise<readonly ResponseOp[] | undefined> {
    const previous = await Promise.all(branch.map((operation) => this.#previous(operation)));
    const operations: KeyOperation[] = [];
    for (const operation of branch) {
      operations.push(...(await this.#operationOf(operation)));
    }
    let deleted: readonly number[] = [];
    if (operations.length > 0) {
      if (this.#rules.isFull() && operations.some(({ kind }) => kind === "put")) {
        throw etcdErrors.noSpace();
      }
      try {
        const result = await this.#store.commit({ conditions, apply: operations });
        if (!result.succeeded) {
          return undefined;
        }
        deleted = result.deleted;
      } catch (error) {
        this.#rules.onFull(error);
        throw error;
      }
    }
    return await this.#responses(branch, deleted, previous);
  }

  async #previous({ request }: RequestOp): Promise<readonly KeyValue[]> {
    if ((request.case !== "requestPut" && request.case !== "requestDeleteRange") || !request.value.prevKv) {
      return [];
    }
    const range =
      request.case === "requestPut"
        ? { key: keyText(request.value.key) }
        : rangeOf(request.value.key, request.value.rangeEnd);
    if ("key" in range) {
      const kv = await this.#store.get(range.key);
      return kv === undefined ? [] : [kv];
    }
    return await this.#store.list(range, { limit: this.#rules.operationsMax });
  }

  async #operationOf({ request }: RequestOp): Promise<readonly KeyOperation[]> {
    switch (request.case) {
      case "requestPut":
        return [await this.#putOf(request.value)];
      case "requestDeleteRange": {
        const range = rangeOf(request.value.key, request.value.rangeEnd);
        return ["key" in range ? { kind: "delete", key: range.key } : { kind: "delete range", range }];
      }
      default:
        return [];
    }
  }

  async #putOf(request: PutRequest): Promise<KeyOperation> {
    const key = keyText(request.key);
    let { value } = request;
    let lease = leaseNumber(request.lease);
    if (request.ignoreValue || request.ignoreLease) {
      const kv = await this.#store.get(key);
      if (kv === undefined) {
        throw etcdErrors.keyNotFound();
      }
      if (request.ignoreValue && value.length > 0) {
        throw etcdErrors.valueProvided();
      }
      if (request.ignoreLease && lease !== 0) {
        throw etcdErrors.leaseProvided();
      }
      value = request.ignoreValue ? kv.value : value;
      lease = request.ignoreLease ? kv.lease : lease;
    }
    if (lease !== 0 && !this.#rules.hasLease(lease)) {
      throw etcdErrors.leaseNotFound();
    }
    this.#rules.checkPut(key, value);
    return { kind: "put", key, value, lease };
  }

  async #responses(
    branch: readonly RequestOp[],
    deleted: readonly number[],
    previous: readonly (readonly KeyValue[])[],
  ): Promise<readonly ResponseOp[]> {
    const responses: ResponseOp[] = [];
    let written = 0;
    for (const [index, { request }] of branch.entries()) {
      const header = headerOf(this.#store);
      const before = (previous[index] ?? []).map(wireKeyValue);
      switch (request.case) {
        case "requestPut": {
          const [prevKv] = before;
          const value = create(PutResponseSchema, { header, ...(prevKv === undefined ? {} : { prevKv }) });
          responses.push(create(ResponseOpSchema, { response: { case: "responsePut", value } }));
          written += 1;
          break;
        }
        case "requestDeleteRange": {
          const count = BigInt(deleted[written] ?? 0);
          const value = create(DeleteRangeResponseSchema, { header, deleted: count, prevKvs: before });
          responses.push(create(ResponseOpSchema, { response: { case: "responseDeleteRange", value } }));
          written += 1;
          break;
        }
        case "requestRange": {
          const value = await readRange(this.#store, request.value);
          responses.push(create(ResponseOpSchema, { response: { case: "responseRange", value } }));
          break;
        }
        default:
          break;
      }
    }
    return responses;
  }
}

/** Of a key that is not there, every number is 0; its value equals nothing. */
function comparisonHolds({ result, targetUnion }: Compare, kv: KeyValue | undefined): boolean {
  switch (targetUnion.case) {
    case "value":
      return kv !== undefined && compared(Buffer.compare(kv.value, targetUnion.value), result);
    case "version":
      return compared(sign(kv?.version, targetUnion.value), result);
    case "createRevision":
      return compared(sign(kv?.createRevision, targetUnion.value), result);
    case "modRevision":
      return compared(sign(kv?.modRevision, targetUnion.value), result);
    case "lease":
      return compared(sign(kv?.lease, targetUnion.value), result);
    case undefined:
      return compared(sign(kv?.version, 0n), result);
  }
}

function sign(have: number | undefined, asked: bigint): number {
  const difference = BigInt(have ?? 0) - asked;
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}

function compared(order: number, result: Compare_CompareResult): boolean {
  switch (result) {
    case Compare_CompareResult.EQUAL:
      return order === 0;
    case Compare_CompareResult.GREATER:
      return order > 0;
    case Compare_CompareResult.LESS:
      return order < 0;
    case Compare_CompareResult.NOT_EQUAL:
      return order !== 0;
  }
}

function wrap(request: RequestOp["request"]): RequestOp {
  return { $typeName: "etcdserverpb.RequestOp", request };
}

function valueOf<T>(response: ResponseOp | undefined): T {
  return response?.response.value as T;
}

function ignore(_succeeded: boolean): void {}
