import { actorKey, type ActorRef } from "../../app/actor-host.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import type { StateFence, StateGetRequest, StateItem, StateOperation, StateStore } from "../../components/spi/state.ts";
import { fenceMismatch } from "../../components/spi/state-fence.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Logger } from "../../kit/logger.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { type ComponentPolicies, NO_POLICIES } from "../component-policy.ts";
import { ActiveActors } from "./active-actors.ts";
import { ActorState, type ActorStateOperation } from "./actor-state.ts";
import { Claim } from "./ownership-gate.ts";
import type { ActorTypeSettings } from "./types.ts";

/** How a transaction fares on its way: nothing happens, it is lost before or after it was written, or is written later. */
export type Mishap = "none" | "lost" | "unanswered" | "late";

/**
 * A store at the other end of a network: a test decides when requests arrive and when answers do (`pass`), and what goes
 * wrong (`mishap`).
 */
export class DistantStore implements StateStore {
  readonly rows = new Map<string, string>();
  readonly calls: string[] = [];
  readonly transactFenced?: NonNullable<StateStore["transactFenced"]>;
  transactionOperationsMax = 0;
  /** Waited for before a request has an effect, and before its answer is there. */
  pass: () => Promise<void> = () => Promise.resolve();
  mishap: (kind: "get" | "transact") => Mishap = () => "none";
  /** Told of each transaction at the moment when it is written. */
  onWrite: (operations: readonly StateOperation[]) => void = () => undefined;

  constructor(fenced: boolean) {
    if (fenced) {
      this.transactFenced = async (operations, fence) => {
        this.calls.push("transactFenced");
        await this.#transact(operations, fence);
      };
    }
  }

  async init(): Promise<void> {}
  async close(): Promise<void> {}
  async set(): Promise<void> {}
  async delete(): Promise<void> {}

  async get({ key }: StateGetRequest): Promise<StateItem | undefined> {
    this.calls.push(`get ${key}`);
    await this.pass();
    const value = this.rows.get(key);
    const mishap = this.mishap("get");
    await this.pass();
    if (mishap !== "none") {
      throw new ComponentError("unavailable", "no answer");
    }
    return value === undefined ? undefined : { data: Buffer.from(value), etag: "1", metadata: undefined };
  }

  async transact(operations: readonly StateOperation[]): Promise<void> {
    this.calls.push("transact");
    await this.#transact(operations, undefined);
  }

  async #transact(operations: readonly StateOperation[], fence: StateFence | undefined): Promise<void> {
    await this.pass();
    const mishap = this.mishap("transact");
    if (mishap === "late") {
      void this.pass()
        .then(() => this.#write(operations, fence))
        .catch(() => undefined);
    } else if (mishap !== "lost") {
      this.#write(operations, fence);
    }
    await this.pass();
    if (mishap !== "none") {
      throw new ComponentError("unavailable", "no answer");
    }
  }

  #write(operations: readonly StateOperation[], fence: StateFence | undefined): void {
    if (fence !== undefined && this.rows.get(fence.key) !== fence.expected?.toString()) {
      throw fenceMismatch(fence);
    }
    this.onWrite(operations);
    for (const { kind, request } of operations) {
      if (kind === "delete") {
        this.rows.delete(request.key);
      } else {
        this.rows.set(request.key, request.value.toString());
      }
    }
    if (fence !== undefined) {
      this.rows.set(fence.key, fence.next.toString());
    }
  }
}

/** The store as a sidecar has loaded it. */
export function actorStore(component: StateStore): Loaded<StateStore> {
  const capabilities = ["ETAG", "TRANSACTIONAL", ...(component.transactFenced === undefined ? [] : ["FENCED"])];
  return {
    name: "store",
    manifest: {
      family: "state",
      type: "state.distant",
      versions: [{ version: "v1", stability: "stable" }],
      capabilities,
      metadata: [],
      load: () => Promise.reject(new Error("loaded already")),
    },
    version: "v1",
    metadata: { actorStateStore: "true" },
    secretNames: {},
    component,
  };
}

export interface HostOptions {
  readonly lease?: { holds(): boolean };
  readonly policies?: ComponentPolicies;
  readonly logger?: Logger;
}

/** One sidecar that takes itself for the owner of whatever is called. */
export class StateHost {
  readonly clock = new VirtualClock();
  readonly active: ActiveActors;
  readonly state: ActorState;
  /** What the app was told to deactivate, in order. */
  readonly deactivated: string[] = [];
  readonly refusals: string[] = [];
  onDeactivate: (ref: ActorRef) => void = () => undefined;
  exchange: (loaded: Loaded<StateStore> | undefined) => void = () => undefined;

  constructor(store: StateStore, { lease, policies = NO_POLICIES, logger = silentLogger }: HostOptions = {}) {
    const { clock } = this;
    this.active = new ActiveActors({ clock, logger });
    const stores: ComponentView<StateStore> = {
      size: 1,
      get: () => undefined,
      values: () => [],
      watch: (listener) => {
        this.exchange = (loaded) => listener("store", loaded);
        this.exchange(actorStore(store));
      },
    };
    this.state = new ActorState({
      appId: "app",
      stores,
      ttlEnabled: true,
      policies,
      active: this.active,
      gate: { claim: claimOf },
      lease,
      random: systemRandom,
      observer: { stateRefused: (type, reason) => void this.refusals.push(`${type} ${reason}`) },
      onStoreChange: () => undefined,
      logger,
    });
    const unused = (): Promise<never> => Promise.reject(new Error("not called"));
    const settings: ActorTypeSettings = {
      idleMs: 1_000_000,
      reentrancy: { enabled: true, stackDepthMax: 32 },
      drainMs: undefined,
    };
    this.active.register({
      types: new Map([
        ["t", settings],
        ["dapr.internal.t", settings],
      ]),
      drainMs: 0,
      drainRebalanced: true,
      host: {
        invoke: unused,
        fire: unused,
        deactivate: async (type, id) => {
          this.deactivated.push(actorKey({ type, id }));
          this.onDeactivate({ type, id });
        },
      },
    });
  }

  /** Runs some work of the app as a turn of the actor. */
  async turn<T>(ref: ActorRef, work: () => Promise<T>, chain?: string): Promise<T> {
    const { actor } = await this.active.activate(ref);
    return await actor.run(chain, claimOf(ref), () => undefined, work);
  }

  async read(ref: ActorRef, key: string): Promise<string | undefined> {
    return (await this.state.get(ref, key))?.data.toString();
  }

  async write(ref: ActorRef, values: Readonly<Record<string, string>>): Promise<void> {
    await this.state.transact(ref, Object.entries(values).map(upsert));
  }
}

function claimOf(ref: ActorRef): Claim {
  return new Claim(ref, undefined, undefined, new Set());
}

function upsert([key, value]: readonly [string, string]): ActorStateOperation {
  return { kind: "upsert", key, value: Buffer.from(value), valueIsJson: true, etag: undefined, metadata: {} };
}
