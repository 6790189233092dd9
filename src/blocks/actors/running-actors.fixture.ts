import type {
  ActorCall,
  ActorHost,
  ActorMethodCall,
  ActorReply,
  ActorTick,
  ActorTickCall,
} from "../../app/actor-host.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import type { PlacementHost, PlacementOrder, PlacementReport, PlacementStream } from "../../mesh/placement-stream.ts";
import { document, setUpResiliency } from "../../resiliency/policy.fixture.ts";
import { actorStore, DistantStore } from "./actor-state.fixture.ts";
import { RunningActors } from "./running-actors.ts";
import type { ActorTypeSettings, HostedActors } from "./types.ts";

/** This sidecar, and the other one of the tables. */
export const ME = "me:1";
export const PEER: PlacementHost = { address: "peer:2", appId: "peer" };

export const REPLY: ActorReply = {
  status: { kind: "http", code: 200 },
  headers: [],
  contentType: "",
  body: Buffer.from("done"),
  isError: false,
};

/** A placement service of Dapr's protocol that says what a test says. */
class FakePlacement implements PlacementStream {
  readonly sent: PlacementReport[] = [];
  readonly orders: AsyncIterable<PlacementOrder>;
  readonly #waiting: PlacementOrder[] = [];
  #closed = false;
  #wake = (): void => undefined;

  constructor() {
    this.orders = this.#read();
  }

  send(report: PlacementReport): void {
    this.sent.push(report);
  }

  order(order: PlacementOrder): void {
    this.#waiting.push(order);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *#read(): AsyncGenerator<PlacementOrder> {
    while (!this.#closed) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else {
        yield next;
      }
    }
  }
}

/** An app that answers as a test says, and keeps what it was called for. */
export class FakeHost implements ActorHost {
  readonly calls: string[] = [];
  readonly headers: (readonly string[])[] = [];
  answer: (signal: CancelSignal) => Promise<ActorReply> = () => Promise.resolve(REPLY);
  onDeactivate: () => Promise<void> = () => Promise.resolve();

  invoke(type: string, id: string, { method, headers }: ActorMethodCall, signal: CancelSignal): Promise<ActorReply> {
    this.calls.push(`${type}/${id}/${method}`);
    this.headers.push(headers);
    return this.answer(signal);
  }

  async fire(type: string, id: string, { kind, name }: ActorTick, signal: CancelSignal): Promise<void> {
    this.calls.push(`${type}/${id} ${kind} ${name}`);
    await this.answer(signal);
  }

  async deactivate(type: string, id: string): Promise<void> {
    this.calls.push(`${type}/${id} deactivated`);
    await this.onDeactivate();
  }
}

export interface ActorsBenchOptions {
  /** False: no state store is loaded. */
  readonly store?: boolean;
  /** False: the store cannot fence. */
  readonly fenced?: boolean;
  /** The app may be older than this sidecar. */
  readonly mayRemember?: boolean;
  readonly settings?: Partial<ActorTypeSettings>;
  readonly policies?: Parameters<typeof document>[0];
}

/** The actors of one sidecar, with its app, its peer and its placement service in the hands of a test. */
export class ActorsBench {
  readonly host = new FakeHost();
  readonly store: DistantStore;
  /** What went to the peer. */
  readonly sent: string[] = [];
  peer: (call: ActorCall | ActorTickCall) => Promise<ActorReply> = () => Promise.resolve(REPLY);
  readonly #streams: FakePlacement[] = [];
  readonly #settings: Partial<ActorTypeSettings>;
  readonly #mayRemember: boolean;
  readonly #resilient: Awaited<ReturnType<typeof setUpResiliency>>;
  readonly actors: RunningActors;
  #version = 0n;

  private constructor(resilient: Awaited<ReturnType<typeof setUpResiliency>>, options: ActorsBenchOptions) {
    const { store: hasStore = true, fenced = true, settings = {}, mayRemember = false } = options;
    this.store = new DistantStore(fenced);
    this.#mayRemember = mayRemember;
    const { clock, resiliency } = resilient;
    this.#resilient = resilient;
    this.#settings = settings;
    const ask = async (call: ActorCall | ActorTickCall): Promise<ActorReply> => {
      this.sent.push(`${call.type}/${call.id}`);
      return await this.peer(call);
    };
    this.actors = new RunningActors({
      appId: "app",
      namespace: "default",
      ownAddress: ME,
      placementAddresses: ["placement:3"],
      disseminationTimeoutMs: 30_000,
      openPlacement: () => {
        const stream = new FakePlacement();
        this.#streams.push(stream);
        return stream;
      },
      remote: {
        call: (_owner, call) => ask(call),
        fire: async (_owner, tick) => void (await ask(tick)),
        forget: () => undefined,
      },
      scheduler: undefined,
      stores: {
        size: 1,
        get: () => undefined,
        values: () => [],
        watch: (listener) => hasStore && listener("store", actorStore(this.store)),
      },
      ttlEnabled: false,
      resiliency,
      health: { ready: () => undefined, notReady: () => undefined },
      clock,
      random: systemRandom,
      logger: silentLogger,
    });
  }

  static async create(options: ActorsBenchOptions = {}): Promise<ActorsBench> {
    return new ActorsBench(await setUpResiliency(...(options.policies ? [document(options.policies)] : [])), options);
  }

  get hosted(): HostedActors {
    const settings = { idleMs: 60_000, reentrancy: { enabled: false, stackDepthMax: 2 }, drainMs: undefined };
    return {
      types: new Map([["t", { ...settings, ...this.#settings }]]),
      drainMs: 1_000,
      drainRebalanced: true,
      mayRemember: this.#mayRemember,
      host: this.host,
    };
  }

  /** Started, and with tables in which this sidecar hosts type `t`, and its peer type `far`. */
  async serving(): Promise<this> {
    this.actors.start();
    this.actors.register(this.hosted);
    await this.tables({ t: [{ address: ME, appId: "app" }], far: [PEER] });
    return this;
  }

  async close(): Promise<void> {
    const closed = this.actors.close();
    await this.pass(5);
    await closed;
  }

  /** A whole round of the placement service. */
  async tables(types: Readonly<Record<string, readonly PlacementHost[]>>): Promise<void> {
    const version = (this.#version += 1n);
    const stream = this.#streams.at(-1);
    stream?.order({ operation: "lock", version });
    stream?.order({
      operation: "update",
      version,
      tables: { types: new Map(Object.entries(types)), replicationFactor: 10 },
    });
    stream?.order({ operation: "unlock", version });
    await this.settle();
  }

  /** The types that were reported last. */
  get reported(): readonly string[] | undefined {
    const reports = this.#streams.at(-1)?.sent.filter((report) => report.kind === "report") ?? [];
    return reports.at(-1)?.types;
  }

  /** Lets time pass a second at a time, with all that follows. */
  async pass(seconds: number): Promise<void> {
    await this.settle();
    for (let second = 0; second < seconds; second++) {
      this.#resilient.clock.advance(1_000);
      await this.settle();
    }
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLING_TURNS; turn++) {
      await nextTurn();
    }
  }

  call(type: string, more: Partial<ActorCall> = {}): Promise<ActorReply> {
    return this.actors.call(callOf(type, more));
  }
}

/** Turns of the event loop in which everything that does not wait for time comes to rest. */
const SETTLING_TURNS = 10;

export function callOf(type: string, more: Partial<ActorCall> = {}): ActorCall {
  const body = new Uint8Array(0);
  return { type, id: "a", method: "m", verb: "POST", query: "", headers: [], contentType: "", body, ...more };
}
