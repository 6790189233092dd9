import { create } from "@bufbuild/protobuf";
import { type Clock, sleep } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import { methodsOf } from "../../../net/grpc/protobuf.ts";
import { Watch, WatchRequestSchema, type WatchResponse } from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import { Event_EventType } from "../../../wire/gen/mvccpb/kv_pb.js";
import { ETCD_REPEAT_DELAY_MS, ETCD_WATCH_DELAY_MS_MAX, PAGE_KEYS } from "../limits.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { keyValueOf, wireRange } from "./etcd-messages.ts";
import type { Follower, Following, KeyChange, KeyRange, KeyValue, ListOptions } from "./key-store.ts";
import { rangeAfter } from "./keys.ts";

const WATCH = methodsOf(Watch);

/** Keys of a page and the revision at which all of them are true. */
export interface EtcdPage {
  readonly kvs: readonly KeyValue[];
  readonly revision: number;
}

export interface FollowOptions {
  /** Reads a page as it was at a revision, 0 for the newest. @throws KeyStoreError */
  page(range: KeyRange, options: ListOptions, revision: number): Promise<EtcdPage>;
  readonly range: KeyRange;
  readonly follower: Follower;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Follows a range of an etcd: all keys at one revision, then what has changed since. A watch that breaks goes on after the
 * last revision it told; where that has been compacted, all is read again. It tries until it is ended.
 */
export function followEtcd(client: EtcdClient, options: FollowOptions): Following {
  const loop = new FollowLoop(client, options);
  void loop.run();
  return loop;
}

class FollowLoop implements Following {
  readonly synced: Promise<void>;
  readonly #client: EtcdClient;
  readonly #options: FollowOptions;
  readonly #over = new AbortController();
  readonly #resolveSynced: () => void;
  /** The revision to watch from; 0: everything must be read. */
  #next = 0;
  #delayMs = ETCD_REPEAT_DELAY_MS;

  constructor(client: EtcdClient, options: FollowOptions) {
    this.#client = client;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#resolveSynced = resolve;
  }

  end(): void {
    this.#over.abort(new Error("the range is no longer followed"));
    this.#resolveSynced();
  }

  async run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted && !this.#client.isClosed) {
      try {
        if (this.#next === 0) {
          await this.#read();
        }
        await this.#watch();
      } catch (error) {
        if (signal.aborted || this.#client.isClosed) {
          return;
        }
        if (errorMessage(error).includes("compacted")) {
          this.#next = 0;
        }
        this.#client.streamFailed(error);
        logger.debug(`following keys of etcd goes on in ${this.#delayMs} ms: ${errorMessage(error)}`);
      }
      await sleep(clock, this.#delayMs, signal).catch(() => undefined);
      this.#delayMs = Math.min(2 * this.#delayMs, ETCD_WATCH_DELAY_MS_MAX);
    }
  }

  async #read(): Promise<void> {
    const { range, follower } = this.#options;
    const { signal } = this.#over;
    follower.begin();
    let revision = 0;
    for (let rest = range; ;) {
      const page = await this.#options.page(rest, { limit: PAGE_KEYS }, revision);
      revision = page.revision;
      if (signal.aborted) {
        return;
      }
      await follower.page(page.kvs);
      if (signal.aborted) {
        return;
      }
      const last = page.kvs.at(-1);
      if (last === undefined || page.kvs.length < PAGE_KEYS) {
        break;
      }
      rest = rangeAfter(range, last.key);
    }
    follower.synced();
    this.#next = revision + 1;
    this.#resolveSynced();
  }

  async #watch(): Promise<void> {
    const { range } = this.#options;
    const stream = await this.#client.stream(WATCH.watch, { signal: this.#over.signal });
    try {
      const value = { ...wireRange(range), startRevision: BigInt(this.#next), progressNotify: true, fragment: true };
      const request = create(WatchRequestSchema, { requestUnion: { case: "createRequest", value } });
      // What it fails with, the answers fail with too.
      stream.send(request)?.catch(() => undefined);
      for await (const response of stream.responses) {
        if (this.#over.signal.aborted) {
          return;
        }
        await this.#take(response);
      }
    } finally {
      stream.cancel();
    }
  }

  async #take(response: WatchResponse): Promise<void> {
    if (response.canceled) {
      throw new Error(
        response.compactRevision > 0n ? "the revision has been compacted" : `watch ended: ${response.cancelReason}`,
      );
    }
    this.#delayMs = ETCD_REPEAT_DELAY_MS;
    const last = response.events.at(-1)?.kv;
    if (last === undefined) {
      if (!response.created) {
        this.#next = Math.max(this.#next, Number(response.header?.revision ?? 0n) + 1);
      }
      return;
    }
    const changes: KeyChange[] = [];
    for (const { type, kv } of response.events) {
      if (kv !== undefined) {
        const change = keyValueOf(kv);
        changes.push(type === Event_EventType.PUT ? { kind: "put", kv: change } : { kind: "delete", key: change.key });
      }
    }
    const revision = Number(last.modRevision);
    await this.#options.follower.changed(changes, revision);
    // The rest of a fragment may be of the same revision.
    this.#next = response.fragment ? revision : revision + 1;
  }
}
