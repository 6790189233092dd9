import { type TtlLimit, ttlSeconds } from "../spi/ttl-seconds.ts";
import { create } from "@bufbuild/protobuf";
import { errorMessage } from "../../kit/error-message.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import {
  DeleteRangeRequestSchema,
  KV,
  Lease,
  LeaseGrantRequestSchema,
  PutRequestSchema,
  RangeRequestSchema,
} from "../../wire/gen/etcdserverpb/rpc_pb.js";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import type {
  KeysLikeRequest,
  KeysPage,
  ListedKeys,
  ListKeysRequest,
  StateDeleteRequest,
  StateFence,
  StateGetRequest,
  StateItem,
  StateOperation,
  StateSetRequest,
  StateStore,
} from "../spi/state.ts";
import { fenceMismatch } from "../spi/state-fence.ts";
import { type ClusterTls, EtcdCluster } from "./cluster.ts";
import { ETCD_STATE_FIELDS } from "./fields.ts";
import { keysLikeOf, listKeysOf, type RangeOfKeys } from "./key-ranges.ts";
import { BARE_VALUES, ENVELOPED_VALUES, type StoredValues } from "./stored-value.ts";

import { type EtcdWrite, isConditional, isFenceBroken, mismatchOf, txnOf } from "./writes.ts";

/** Of etcd's leases. */
const LEASE_LIMIT: TtlLimit = {
  secondsMax: 9_000_000_000n,
  refusal: "etcd keeps nothing longer than 9000000000 seconds",
};

const TRANSACTION_FAILED = "couldn't do the transaction";

const KEYS = methodsOf(KV);
const LEASES = methodsOf(Lease);

/**
 * Dapr's `state.etcd`: a key's etag is its modification revision, its lifetime a lease. What Dapr compares first and
 * writes then is one step here, so that of two writers with one etag a single one succeeds.
 */
export class EtcdStateStore implements StateStore {
  readonly #deps: ComponentDeps;
  readonly #values: StoredValues;
  #cluster: EtcdCluster | undefined;
  #path = "";
  #operationsMax: number | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
    this.#values = deps.version?.toLowerCase() === "v2" ? ENVELOPED_VALUES : BARE_VALUES;
  }

  get transactionOperationsMax(): number {
    return this.#operationsMax ?? 0;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger } = this.#deps;
    const options = decodeMetadata(ETCD_STATE_FIELDS, metadata, { component: name, logger });
    this.#path = options.keyPrefixPath;
    this.#operationsMax = options.maxTxnOps;
    this.#cluster = new EtcdCluster(options.endpoints, options.tlsEnable ? tlsOf(options) : undefined, this.#deps);
  }

  async close(): Promise<void> {
    await this.#cluster?.close();
  }

  async get({ key }: StateGetRequest): Promise<StateItem | undefined> {
    const { bytes, text } = this.#keyOf(key);
    const { kvs } = await this.#attempt(`couldn't get key ${text}`, (cluster) =>
      cluster.read(KEYS.range, create(RangeRequestSchema, { key: bytes })),
    );
    const [found] = kvs;
    return found === undefined ? undefined : { ...this.#values.decode(found.value), etag: String(found.modRevision) };
  }

  async set(request: StateSetRequest): Promise<void> {
    const write = await this.#upsertOf(request);
    const what = `couldn't set key ${write.keyText}`;
    if (isConditional(write)) {
      await this.#transact([write], what);
    } else {
      const put = create(PutRequestSchema, { key: write.key, ...write.put });
      await this.#attempt(what, (cluster) => cluster.write(KEYS.put, put));
    }
  }

  async delete(request: StateDeleteRequest): Promise<void> {
    const write = this.#deleteOf(request);
    const what = `couldn't delete key ${write.keyText}`;
    if (isConditional(write)) {
      await this.#transact([write], what);
    } else {
      const { key } = write;
      await this.#attempt(what, (cluster) =>
        cluster.write(KEYS.deleteRange, create(DeleteRangeRequestSchema, { key })),
      );
    }
  }

  async transact(operations: readonly StateOperation[]): Promise<void> {
    if (operations.length > 0) {
      await this.#transact(await this.#writesOf(operations), TRANSACTION_FAILED);
    }
  }

  async transactFenced(operations: readonly StateOperation[], fence: StateFence): Promise<void> {
    const first = this.#fenceOf(fence);
    const writes = [first, ...(await this.#writesOf(operations))];
    const response = await this.#attempt(TRANSACTION_FAILED, (cluster) => cluster.write(KEYS.txn, txnOf(writes)));
    if (!response.succeeded) {
      throw isFenceBroken(first, response) ? fenceMismatch(fence) : mismatchOf(writes, response);
    }
  }

  keysLike(request: KeysLikeRequest): Promise<KeysPage> {
    return keysLikeOf(request, this.#range);
  }

  listKeys(request: ListKeysRequest): Promise<ListedKeys> {
    return listKeysOf(request, this.#range);
  }

  /** Keys come without the path. */
  readonly #range: RangeOfKeys = async (from, to, limit) => {
    const path = Buffer.from(`${this.#path}/`);
    const request = create(RangeRequestSchema, {
      key: Buffer.concat([path, from]),
      rangeEnd: Buffer.concat([path, to]),
      limit: BigInt(limit),
      keysOnly: true,
    });
    const { kvs, more } = await this.#attempt("couldn't list keys", (cluster) => cluster.read(KEYS.range, request));
    return { keys: kvs.map(({ key }) => Buffer.from(key.subarray(path.length)).toString()), more };
  };

  async #transact(writes: readonly EtcdWrite[], what: string): Promise<void> {
    const response = await this.#attempt(what, (cluster) => cluster.write(KEYS.txn, txnOf(writes)));
    if (!response.succeeded) {
      throw mismatchOf(writes, response);
    }
  }

  async #writesOf(operations: readonly StateOperation[]): Promise<EtcdWrite[]> {
    const writes: EtcdWrite[] = [];
    for (const { kind, request } of operations) {
      writes.push(kind === "upsert" ? await this.#upsertOf(request) : this.#deleteOf(request));
    }
    return writes;
  }

  /** Stored without a time of its own, so that what it must hold is known to the byte. */
  #fenceOf({ key, expected, next }: StateFence): EtcdWrite {
    const { bytes, text } = this.#keyOf(key);
    return {
      key: bytes,
      keyText: text,
      etag: undefined,
      firstWrite: expected === undefined,
      ...(expected === undefined ? {} : { held: this.#values.encode(expected, undefined, 0) }),
      put: { value: this.#values.encode(next, undefined, 0), lease: 0n },
    };
  }

  async #upsertOf({ key, value, etag, concurrency, metadata }: StateSetRequest): Promise<EtcdWrite> {
    const seconds = ttlSeconds(metadata, LEASE_LIMIT);
    const { bytes, text } = this.#keyOf(key);
    const lease = seconds === undefined ? 0n : await this.#grant(text, seconds);
    const stored = this.#values.encode(value, seconds, this.#deps.clock.now());
    return {
      key: bytes,
      keyText: text,
      etag,
      firstWrite: concurrency === "first-write",
      put: { value: stored, lease },
    };
  }

  #deleteOf({ key, etag, concurrency }: StateDeleteRequest): EtcdWrite {
    const { bytes, text } = this.#keyOf(key);
    return { key: bytes, keyText: text, etag, firstWrite: concurrency === "first-write", put: undefined };
  }

  async #grant(keyText: string, seconds: number): Promise<bigint> {
    const request = create(LeaseGrantRequestSchema, { TTL: BigInt(seconds) });
    const { ID } = await this.#attempt(`couldn't grant lease ${keyText}`, (cluster) =>
      cluster.write(LEASES.leaseGrant, request),
    );
    return ID;
  }

  #keyOf(key: string): { readonly bytes: Uint8Array; readonly text: string } {
    const text = `${this.#path}/${key}`;
    return { bytes: Buffer.from(text), text };
  }

  async #attempt<T>(what: string, call: (cluster: EtcdCluster) => Promise<T>): Promise<T> {
    if (this.#cluster === undefined) {
      throw new ComponentError("unavailable", "the store is not open");
    }
    try {
      return await call(this.#cluster);
    } catch (cause) {
      throw new ComponentError("unavailable", `${what}: ${errorMessage(cause)}`, { cause });
    }
  }
}

/** @throws ComponentError where a part is missing */
function tlsOf({ ca = "", cert = "", key = "" }: Readonly<Record<keyof ClusterTls, string | undefined>>): ClusterTls {
  if (ca === "" || cert === "" || key === "") {
    throw new ComponentError(
      "invalidMetadata",
      "initializing etcd client: tls authentication information is incomplete",
    );
  }
  return { ca, cert, key };
}
