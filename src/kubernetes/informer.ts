import { Cancellation } from "../kit/cancel-signal.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { KubernetesClient, Selection } from "./client.ts";
import { KubernetesError } from "./error.ts";
import { INFORMER_OBJECTS_MAX, RETRY_GROWTH, RETRY_MS, RETRY_MS_MAX, WATCH_MS_MAX, WATCH_WORKED_MS } from "./limits.ts";
import type { KubernetesObject, ResourceKind } from "./objects.ts";

export interface InformerOptions<T extends KubernetesObject, V> {
  readonly client: KubernetesClient;
  readonly kind: ResourceKind;
  readonly selection?: Selection;
  /** What is kept of an object: all of it costs memory by the number of pods in the cluster. */
  readonly keep: (object: T) => V;
  /** Lists everything anew so often, in case an event was lost; absent: only when the server asks for it. */
  readonly resyncMs?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What happened to one object. After a gap several changes are told as one. */
export type Change<V> =
  | { readonly type: "set"; readonly key: string; readonly value: V; readonly before: V | undefined }
  | { readonly type: "delete"; readonly key: string; readonly before: V };

/**
 * Objects of one kind as the API server has them: listed once, then followed by a watch that is resumed where it ended, and
 * listed anew when that is not possible. While the server cannot be reached, what was known last stays.
 */
export class Informer<T extends KubernetesObject, V> {
  /** Resolves when everything has been listed once. Never rejects: it is tried for as long as it takes. */
  readonly synced: Promise<void>;
  readonly #options: InformerOptions<T, V>;
  readonly #objects = new Map<string, V>();
  readonly #listeners = new Set<(change: Change<V>) => void>();
  readonly #stop = new Cancellation();
  readonly #onSynced: () => void;
  #running: Promise<void> | undefined;
  #version = "";
  #listedMs = 0;

  constructor(options: InformerOptions<T, V>) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#onSynced = resolve;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  get(namespace: string, name: string): V | undefined {
    return this.#objects.get(keyOf(namespace, name));
  }

  all(): IterableIterator<V> {
    return this.#objects.values();
  }

  /** Told of every change from now on, in order. @returns what ends it */
  onChange(listener: (change: Change<V>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the informer was closed"));
    this.#listeners.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, kind, logger } = this.#options;
    let delayMs = RETRY_MS;
    while (!this.#stop.aborted) {
      const startedMs = clock.monotonicMs();
      let failed = false;
      try {
        if (this.#version === "" || this.#isResyncDue()) {
          await this.#list();
        }
        await this.#follow();
      } catch (error) {
        if (this.#stop.aborted) {
          return;
        }
        failed = true;
        if (error instanceof KubernetesError && error.isExpired) {
          this.#version = "";
        } else {
          logger.warn(`Kubernetes ${kind.plural} cannot be followed now: ${errorMessage(error)}`);
        }
      }
      const worked = !failed || clock.monotonicMs() - startedMs >= WATCH_WORKED_MS;
      delayMs = worked ? RETRY_MS : Math.min(delayMs * RETRY_GROWTH, RETRY_MS_MAX);
      await sleep(clock, delayMs, this.#stop).catch(() => undefined);
    }
  }

  #isResyncDue(): boolean {
    const { resyncMs, clock } = this.#options;
    return resyncMs !== undefined && clock.monotonicMs() - this.#listedMs >= resyncMs;
  }

  /** Everything there is; what is gone since the last time is told as deleted. */
  async #list(): Promise<void> {
    const { client, kind, selection, clock } = this.#options;
    const seen = new Set<string>();
    let version = "";
    for await (const page of client.pages<T>(kind, selection)) {
      for (const object of page.items ?? []) {
        seen.add(this.#set(object));
      }
      version = page.metadata?.resourceVersion ?? version;
      if (seen.size > INFORMER_OBJECTS_MAX) {
        throw new Error(`there are more than ${INFORMER_OBJECTS_MAX} ${kind.plural}, the limit of what is kept`);
      }
    }
    for (const key of this.#objects.keys()) {
      if (!seen.has(key)) {
        this.#delete(key);
      }
    }
    this.#version = version === "" ? "0" : version;
    this.#listedMs = clock.monotonicMs();
    this.#onSynced();
  }

  async #follow(): Promise<void> {
    const { client, kind, selection, clock, resyncMs } = this.#options;
    const end = new Cancellation();
    const stop = (): void => end.abort(new Error("the watch is ended"));
    this.#stop.addEventListener("abort", stop);
    // A server that has gone silently would keep the watch open for ever.
    const timer = clock.after(Math.min(WATCH_MS_MAX, resyncMs ?? WATCH_MS_MAX), stop);
    try {
      for await (const { type, object } of client.watch<T>(kind, selection ?? {}, this.#version, end)) {
        if (type === "DELETED") {
          this.#delete(keyOf(object.metadata.namespace ?? "", object.metadata.name));
        } else if (type !== "BOOKMARK") {
          this.#set(object);
        }
        this.#version = object.metadata.resourceVersion ?? this.#version;
      }
    } catch (error) {
      if (!end.aborted) {
        throw error;
      }
    } finally {
      timer.cancel();
      this.#stop.removeEventListener("abort", stop);
    }
  }

  #set(object: T): string {
    const key = keyOf(object.metadata.namespace ?? "", object.metadata.name);
    const before = this.#objects.get(key);
    const value = this.#options.keep(object);
    this.#objects.set(key, value);
    this.#tell({ type: "set", key, value, before });
    return key;
  }

  #delete(key: string): void {
    const before = this.#objects.get(key);
    if (before !== undefined && this.#objects.delete(key)) {
      this.#tell({ type: "delete", key, before });
    }
  }

  #tell(change: Change<V>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.logger.error(
          `a listener to Kubernetes ${this.#options.kind.plural} failed: ${errorMessage(error)}`,
        );
      }
    }
  }
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
