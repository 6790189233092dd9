import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../../kit/clock.ts";
import type { Logger } from "../../../kit/logger.ts";
import type { Random } from "../../../kit/random.ts";
import { methodsOf } from "../../../net/grpc/protobuf.ts";
import {
  KV,
  RangeRequestSchema,
  type RangeResponse,
  type ResponseHeader,
  TxnRequestSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import type { EtcdClient } from "./etcd-client.ts";
import { compareOf, isTooLarge, keyStoreError, keyValueOf, operationOf, wireRange } from "./etcd-messages.ts";
import { type EtcdPage, followEtcd } from "./follow-etcd.ts";
import type {
  Commit,
  CommitResult,
  Follower,
  Following,
  KeyRange,
  KeyStore,
  KeyValue,
  ListOptions,
} from "./key-store.ts";

const KEYS = methodsOf(KV);
export interface EtcdKeyStoreDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The port on an etcd, which others may write too. A commit is one transaction there. */
export class EtcdKeyStore implements KeyStore {
  revision = 0;
  /** As the member last said it: with what it has not given back yet. */
  bytes = 0;
  readonly #client: EtcdClient;
  readonly #deps: EtcdKeyStoreDeps;

  /** @param client is closed with the store */
  constructor(client: EtcdClient, deps: EtcdKeyStoreDeps) {
    this.#client = client;
    this.#deps = deps;
  }

  async get(key: string): Promise<KeyValue | undefined> {
    const request = create(RangeRequestSchema, { key: Buffer.from(key) });
    const { kvs, header } = await this.#attempt(() => this.#client.call(KEYS.range, request, true));
    this.#saw(header);
    return kvs[0] === undefined ? undefined : keyValueOf(kvs[0]);
  }

  async list(range: KeyRange, options: ListOptions): Promise<readonly KeyValue[]> {
    return (await this.page(range, options, 0)).kvs;
  }

  async count(range: KeyRange): Promise<number> {
    const request = create(RangeRequestSchema, { ...wireRange(range), countOnly: true });
    const { count, header } = await this.#attempt(() => this.#client.call(KEYS.range, request, true));
    this.#saw(header);
    return Number(count);
  }

  async commit({ conditions = [], apply, otherwise = [] }: Commit): Promise<CommitResult> {
    const request = create(TxnRequestSchema, {
      compare: conditions.map(compareOf),
      success: apply.map(operationOf),
      failure: otherwise.map(operationOf),
    });
    const isRepeatable = conditions.length === 0;
    const { succeeded, header, responses } = await this.#attempt(() =>
      this.#client.call(KEYS.txn, request, isRepeatable),
    );
    this.#saw(header);
    return {
      succeeded,
      revision: Number(header?.revision ?? 0n),
      deleted: responses.map(({ response }) =>
        response.case === "responseDeleteRange" ? Number(response.value.deleted) : 0,
      ),
    };
  }

  follow(range: KeyRange, follower: Follower): Following {
    const page = this.page.bind(this);
    return followEtcd(this.#client, { range, follower, page, ...this.#deps });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /**
   * A page of a range as it was at a revision, 0 for the newest. Where its values are too large for one answer it has fewer
   * keys than asked for, but at least one.
   * @throws KeyStoreError
   */
  async page(range: KeyRange, { limit, keysOnly = false }: ListOptions, revision: number): Promise<EtcdPage> {
    for (let most = limit; ; most = Math.ceil(most / 2)) {
      const request = create(RangeRequestSchema, {
        ...wireRange(range),
        limit: BigInt(most),
        revision: BigInt(revision),
        keysOnly,
      });
      let response: RangeResponse;
      try {
        response = await this.#client.call(KEYS.range, request, true);
      } catch (error) {
        if (most > 1 && isTooLarge(error)) {
          continue;
        }
        throw keyStoreError(error);
      }
      this.#saw(response.header);
      const kvs = response.kvs.map(keyValueOf);
      const last = kvs.at(-1);
      const at = revision === 0 ? Number(response.header?.revision ?? 0n) : revision;
      if (most === limit || last === undefined || !response.more) {
        return { kvs, revision: at };
      }
      // Callers take a short page for the last one.
      const rest = { from: Buffer.concat([Buffer.from(last.key), Buffer.of(0)]), to: range.to };
      const more = await this.page(rest, { limit: limit - kvs.length, keysOnly }, at);
      return { kvs: [...kvs, ...more.kvs], revision: at };
    }
  }

  #saw(header: ResponseHeader | undefined): void {
    this.revision = Math.max(this.revision, Number(header?.revision ?? 0n));
  }

  async #attempt<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw keyStoreError(error);
    }
  }
}
