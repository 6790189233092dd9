import { inMemoryStateManifest } from "../../src/components/in-memory/state-manifest.ts";
import type { StateFence, StateItem, StateOperation, StateStore } from "../../src/components/spi/state.ts";
import { ComponentError } from "../../src/components/spi/errors.ts";
import type { ComponentView, Loaded } from "../../src/inventory/types.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { rowOf } from "./app.ts";
import type { Ledger } from "./ledger.ts";
import { type Network, NetworkError } from "./network.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";

/** Milliseconds that a sidecar's client of the store waits for an answer. */
const TIMEOUT_MS = 4_000;

const STORE_NAME = "store";

/** The state store: our in-memory one, on a machine of its own, which sees all commits in their order. */
export class StoreNode {
  readonly machine: Machine;
  readonly #network: Network;
  readonly #ledger: Ledger;
  readonly #ignoresFences: boolean;
  #store: StateStore | undefined;

  constructor(machine: Machine, network: Network, ledger: Ledger, ignoresFences: boolean) {
    this.machine = machine;
    this.#network = network;
    this.#ledger = ledger;
    this.#ignoresFences = ignoresFences;
  }

  async start(): Promise<void> {
    const process = this.machine.start();
    const create = await inMemoryStateManifest.load();
    this.#store = create({
      name: STORE_NAME,
      appId: "app",
      namespace: "default",
      logger: silentLogger,
      clock: process.clock,
      random: process.random,
      environment: {},
      shared: { acquire: (_key, make) => make() },
      report: () => undefined,
    });
    await this.#store.init({}, new AbortController().signal);
  }

  async stop(): Promise<void> {
    await this.#store?.close();
  }

  /** The store as a sidecar has loaded it. */
  viewFrom(process: SimulatedProcess): ComponentView<StateStore> {
    const loaded: Loaded<StateStore> = {
      name: STORE_NAME,
      manifest: inMemoryStateManifest,
      version: "v1",
      metadata: { actorStateStore: "true" },
      secretNames: {},
      component: new RemoteStore((label, work) => this.#ask(process, label, work), {
        committed: (operations) => this.#committed(operations),
        ignoresFences: this.#ignoresFences,
      }),
    };
    return {
      size: 1,
      get: (name) => (name === STORE_NAME ? loaded : undefined),
      values: () => [loaded],
      watch: (listener) => listener(STORE_NAME, loaded),
    };
  }

  async #ask<T>(process: SimulatedProcess, label: string, work: (store: StateStore) => Promise<T>): Promise<T> {
    const store = this.#store;
    if (store === undefined) {
      throw new ComponentError("unavailable", "the store has not been started");
    }
    try {
      return await this.#network.ask(process, this.machine, label, TIMEOUT_MS, () => work(store));
    } catch (error) {
      throw error instanceof NetworkError ? new ComponentError("unavailable", error.message, { cause: error }) : error;
    }
  }

  #committed(operations: readonly StateOperation[]): void {
    for (const { kind, request } of operations) {
      const [, type, id, key] = request.key.split("||");
      if (kind === "upsert" && key === "ops") {
        const { ops, by } = rowOf(request.value);
        this.#ledger.committed(`${type ?? ""}||${id ?? ""}`, ops, by);
      }
    }
  }
}

type Ask = <T>(label: string, work: (store: StateStore) => Promise<T>) => Promise<T>;

interface Watch {
  readonly ignoresFences: boolean;
  committed(operations: readonly StateOperation[]): void;
}

/** The component in a sidecar: every call goes over the network. */
class RemoteStore implements StateStore {
  readonly #ask: Ask;
  readonly #watch: Watch;

  constructor(ask: Ask, watch: Watch) {
    this.#ask = ask;
    this.#watch = watch;
  }

  async init(): Promise<void> {}

  async close(): Promise<void> {}

  get(request: Parameters<StateStore["get"]>[0]): Promise<StateItem | undefined> {
    return this.#ask("reads", (store) => store.get(request));
  }

  bulkGet(requests: Parameters<NonNullable<StateStore["bulkGet"]>>[0]) {
    return this.#ask("reads", async (store) => (await store.bulkGet?.(requests)) ?? []);
  }

  set(request: Parameters<StateStore["set"]>[0]): Promise<void> {
    return this.#ask("sets", (store) => store.set(request));
  }

  delete(request: Parameters<StateStore["delete"]>[0]): Promise<void> {
    return this.#ask("deletes", (store) => store.delete(request));
  }

  transact(operations: readonly StateOperation[], metadata: Readonly<Record<string, string>>): Promise<void> {
    return this.#ask("commits", async (store) => {
      await store.transact?.(operations, metadata);
      this.#watch.committed(operations);
    });
  }

  transactFenced(
    operations: readonly StateOperation[],
    fence: StateFence,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    return this.#ask("commits", async (store) => {
      if (this.#watch.ignoresFences) {
        await store.transact?.(operations, metadata);
      } else {
        await store.transactFenced?.(operations, fence, metadata);
      }
      this.#watch.committed(operations);
    });
  }
}
