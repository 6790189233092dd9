import { ComponentError } from "../../components/spi/errors.ts";
import type { StateItem, StateStore } from "../../components/spi/state.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Logger } from "../../kit/logger.ts";
import { systemRandom } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createStateBlock, type StateBlock, type StateBlockOptions } from "./state-block.ts";

/** Remembers what was asked of it, keeps values without any rule, and fails where a test says so. */
export class RecordingStore implements StateStore {
  readonly calls: unknown[] = [];
  readonly values = new Map<string, Uint8Array>();
  /** Thrown by every call that has to do with the key. */
  readonly failures = new Map<string, unknown>();
  transact?: NonNullable<StateStore["transact"]>;
  transactionOperationsMax?: number;

  async init(): Promise<void> {}
  async close(): Promise<void> {}

  async get(request: Parameters<StateStore["get"]>[0]): Promise<StateItem | undefined> {
    this.#record("get", request);
    const data = this.values.get(request.key);
    return data === undefined ? undefined : { data, etag: "1", metadata: undefined };
  }

  async set(request: Parameters<StateStore["set"]>[0]): Promise<void> {
    this.#record("set", request);
    this.values.set(request.key, request.value);
  }

  async delete(request: Parameters<StateStore["delete"]>[0]): Promise<void> {
    this.#record("delete", request);
    this.values.delete(request.key);
  }

  #record(operation: string, request: { readonly key: string }): void {
    this.calls.push({ operation, ...request });
    if (this.failures.has(request.key)) {
      throw this.failures.get(request.key);
    }
  }
}

/** Stores by name that a test adds, replaces and removes while the block runs. */
export class StoreView implements ComponentView<StateStore> {
  readonly #loaded = new Map<string, Loaded<StateStore>>();
  readonly #listeners: ((name: string, loaded: Loaded<StateStore> | undefined) => void)[] = [];

  get size(): number {
    return this.#loaded.size;
  }

  get(name: string): Loaded<StateStore> | undefined {
    return this.#loaded.get(name);
  }

  values(): Iterable<Loaded<StateStore>> {
    return this.#loaded.values();
  }

  watch(listener: (name: string, loaded: Loaded<StateStore> | undefined) => void): void {
    this.#listeners.push(listener);
    for (const [name, loaded] of this.#loaded) {
      listener(name, loaded);
    }
  }

  add(name: string, component: StateStore, options: StoreOptions = {}): void {
    const loaded: Loaded<StateStore> = {
      name,
      component,
      version: "v1",
      metadata: options.metadata ?? {},
      secretNames: options.secretNames ?? {},
      manifest: {
        family: "state",
        type: "state.test",
        versions: [{ version: "v1", stability: "stable" }],
        capabilities: options.capabilities ?? ["TRANSACTIONAL"],
        metadata: [],
        load: () => Promise.reject(new ComponentError("unsupported", "already loaded")),
      },
    };
    this.#loaded.set(name, loaded);
    this.#listeners.forEach((listener) => listener(name, loaded));
  }

  remove(name: string): void {
    this.#loaded.delete(name);
    this.#listeners.forEach((listener) => listener(name, undefined));
  }
}

export interface StoreOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly secretNames?: Readonly<Record<string, string>>;
  readonly capabilities?: readonly string[];
}

/** A logger that keeps its lines as `level: message`. */
export function keepingLogger(lines: string[]): Logger {
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("fatal"),
    enabled: () => true,
    scope: () => logger,
  };
  return logger;
}

/** A block of app `app` over a view that already holds `mystore`. */
export function stateBlock(
  store: StateStore,
  storeOptions: StoreOptions = {},
  blockOptions: Partial<StateBlockOptions> = {},
): { readonly block: StateBlock; readonly view: StoreView; readonly lines: string[]; readonly clock: VirtualClock } {
  const view = new StoreView();
  view.add("mystore", store, storeOptions);
  const lines: string[] = [];
  const clock = new VirtualClock();
  const block = createStateBlock({
    stores: view,
    appId: "app",
    namespace: "",
    logger: keepingLogger(lines),
    clock,
    random: systemRandom,
    ...blockOptions,
  });
  return { block, view, lines, clock };
}
