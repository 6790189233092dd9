import {
  type ActorHost,
  type ActorMethodCall,
  type ActorReply,
  type ActorTick,
  actorKey,
} from "../../src/app/actor-host.ts";
import { CUT_OFF_REST_MS } from "../../src/blocks/actors/limits.ts";
import { AppUnreachableError } from "../../src/app/app-unreachable-error.ts";
import type { ActorsBlock } from "../../src/blocks/actors/actors-block.ts";
import type { CancelSignal } from "../../src/kit/cancel-signal.ts";
import type { Ledger, Version } from "./ledger.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { STOP_MS_MAX } from "./troubles.ts";

/** Milliseconds that the app works within a turn; now and then much longer. */
const WORK_MS = [0, 8] as const;
const LONG_ODDS = 0.01;
const LONG_MS = [500, 6_000] as const;
/** Milliseconds between app and sidecar. */
const HOP_MS = [0.05, 0.5] as const;
/** Apps that go on with a turn that was cut off, as one does that does not look at its connection. */
const HEEDLESS_ODDS = 0.7;
/**
 * Milliseconds until an actor is no longer at rest in an app that cannot say when a turn is over: the way there, on which
 * its process may be stopped, included.
 */
const REST_MS = CUT_OFF_REST_MS + 8_000 + STOP_MS_MAX;
/** Apps that host their actors on a stream. */
const STREAM_ODDS = 0.6;
/** How often a handler of reminders and jobs fails. */
const FAILURE_ODDS = 0.1;

/** Types of actors: the second one keeps its state in memory while it is active, as SDKs do. */
export const ACTOR_TYPES = ["reader", "keeper"] as const;

const STATE_KEY = "ops";

interface Activation {
  readonly name: string;
  kept: readonly string[] | undefined;
}

/** What a counter's row holds: the operations that were carried out, and by which activation the last of them. */
export interface CounterRow {
  readonly ops: readonly string[];
  readonly by: string;
}

/** An app that counts: each call of an actor adds one operation to its state, in a transaction. */
export class App implements ActorHost {
  /** Of the sidecar, once it is there. */
  actors!: ActorsBlock;
  /** No turn takes long any more. */
  isQuick: () => boolean = () => false;
  /** Told of turns that take long, and of those that are cut off before they end: their actor rests in this app then. */
  onLongTurn: (actor: string, ms: number) => void = () => undefined;
  /** As an app on a stream does; of one behind HTTP nothing is heard any more when its connection is closed. */
  readonly knowsEnds: boolean;
  #process: SimulatedProcess;
  readonly #ledger: Ledger;
  #life: string;
  readonly #activations = new Map<string, Activation>();
  #count = 0;

  /** @param life names this run of the app among all others */
  constructor(process: SimulatedProcess, ledger: Ledger, life: string) {
    this.#process = process;
    this.#ledger = ledger;
    this.#life = life;
    this.knowsEnds = process.random.chance(STREAM_ODDS);
  }

  /** The app lives on with all that it remembers, beside a sidecar that begins. What it was at for the one before is over. */
  outlive(process: SimulatedProcess, life: string): void {
    this.#process = process;
    this.#life = life;
    for (const [key, { kept }] of this.#activations) {
      this.#activations.set(key, { name: this.#nextName(), kept });
    }
  }

  async invoke(type: string, id: string, call: ActorMethodCall, signal: CancelSignal): Promise<ActorReply> {
    const op = Buffer.from(call.body).toString();
    const activation = this.#begin(type, id);
    const hungUp = Promise.withResolvers<never>();
    hungUp.promise.catch(() => undefined);
    const onAbort = (): void => {
      this.onLongTurn(actorKey({ type, id }), this.knowsEnds ? LONG_MS[1] : REST_MS);
      hungUp.reject(new AppUnreachableError("the connection was closed", { aborted: true, cause: signal.reason }));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const work = this.#add({ type, id }, op, activation, signal);
    try {
      await (this.knowsEnds ? work : Promise.race([work, hungUp.promise]));
    } catch (error) {
      activation.kept = undefined;
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    return { status: { kind: "http", code: 200 }, headers: [], contentType: "", body: Buffer.from(op), isError: false };
  }

  async fire(type: string, id: string, { data }: ActorTick, _signal: CancelSignal): Promise<void> {
    this.#begin(type, id);
    await this.trigger(data ?? new Uint8Array());
  }

  async deactivate(type: string, id: string): Promise<void> {
    this.#activations.delete(actorKey({ type, id }));
    await this.#process.sleep(this.#process.random.between(...HOP_MS));
  }

  /** A reminder or a job has come. @throws Error where the handler fails */
  async trigger(data: Uint8Array): Promise<void> {
    const version = versionOf(data, this.#ledger);
    if (version === undefined) {
      return;
    }
    version.delivered += 1;
    await this.#process.sleep(this.#process.random.between(...WORK_MS));
    if (!this.isQuick() && this.#process.random.chance(FAILURE_ODDS)) {
      throw new Error("the handler fails");
    }
    version.done += 1;
  }

  #begin(type: string, id: string): Activation {
    const key = actorKey({ type, id });
    let activation = this.#activations.get(key);
    if (activation === undefined) {
      activation = { name: this.#nextName(), kept: undefined };
      this.#activations.set(key, activation);
    }
    this.#ledger.turnBegan(key, activation.name);
    return activation;
  }

  #nextName(): string {
    this.#count += 1;
    return `${this.#life}#${this.#count}`;
  }

  async #add(
    ref: { readonly type: string; readonly id: string },
    op: string,
    activation: Activation,
    signal: CancelSignal,
  ): Promise<void> {
    const { random } = this.#process;
    const heedless = random.chance(HEEDLESS_ODDS);
    const pause = async (ms: number): Promise<void> => {
      await this.#process.sleep(ms);
      if (signal.aborted && !heedless) {
        throw signal.reason;
      }
    };
    await pause(random.between(...HOP_MS));
    const keeps = ref.type === "keeper";
    const before = (keeps ? activation.kept : undefined) ?? (await this.#read(ref));
    await pause(this.#workMs(actorKey(ref)));
    const row: CounterRow = { ops: [...before, op], by: activation.name };
    await this.actors.transact(ref, [
      {
        kind: "upsert",
        key: STATE_KEY,
        value: Buffer.from(JSON.stringify(row)),
        valueIsJson: true,
        etag: undefined,
        metadata: {},
      },
    ]);
    activation.kept = keeps ? row.ops : undefined;
    await pause(random.between(...HOP_MS));
  }

  #workMs(actor: string): number {
    const { random } = this.#process;
    if (this.isQuick() || !random.chance(LONG_ODDS)) {
      return random.between(...WORK_MS);
    }
    const ms = random.between(...LONG_MS);
    this.onLongTurn(actor, ms);
    return ms;
  }

  async #read(ref: { readonly type: string; readonly id: string }): Promise<readonly string[]> {
    const item = await this.actors.getState(ref, STATE_KEY);
    return item === undefined ? [] : rowOf(item.data).ops;
  }
}

export function rowOf(data: Uint8Array): CounterRow {
  return JSON.parse(Buffer.from(data).toString()) as CounterRow;
}

/** The version that a reminder's or job's data names. */
export function versionOf(data: Uint8Array, ledger: Ledger): Version | undefined {
  const id = /"v":"([^"]+)"/.exec(Buffer.from(data).toString("latin1"))?.[1];
  return id === undefined ? undefined : ledger.versions.get(id);
}
