import { actorKey } from "../../src/app/actor-host.ts";
import { errorMessage } from "../../src/kit/error-message.ts";
import { ACTOR_TYPES } from "./app.ts";
import type { Cluster } from "./cluster.ts";
import { way } from "./disturbances.ts";
import { counterCall, type HostNode } from "./host-node.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";

const ACTORS_PER_TYPE = 8;
/** Milliseconds that a client waits for an answer. */
const PATIENCE_MS = 12_000;
/** Milliseconds between two calls of a client. */
const PAUSE_MS = [60, 500] as const;
/** Calls of one client that may be without an answer. */
const OPEN_MAX = 6;
/** Milliseconds that everybody on the way of a call has been well for it to count as calm, and that it may take then. */
const CALM_BEFORE_MS = 10_000;
const CALM_MS = 500;
/** Milliseconds that an actor may take once all have had time to recover. */
const PROBE_MS = 2_000;

export const ACTORS = ACTOR_TYPES.flatMap((type) =>
  Array.from({ length: ACTORS_PER_TYPE }, (_, index) => ({ type, id: `a${index}` })),
);

export type Actor = (typeof ACTORS)[number];

/** A client that calls actors through any host, each call with an operation of its own, and never a second time. */
export class CountingClient {
  readonly machine: Machine;
  readonly #cluster: Cluster;
  readonly #process: SimulatedProcess;
  readonly #random: SeededRandom;
  #open = 0;
  #count = 0;
  #isOver = false;

  constructor(name: string, seed: number, cluster: Cluster) {
    this.#cluster = cluster;
    this.machine = cluster.machine(name);
    this.#process = this.machine.start();
    this.#random = new SeededRandom(seed, `${name} calls`);
  }

  start(): void {
    this.#process.clock.after(this.#random.between(...PAUSE_MS), () => {
      if (this.#isOver) {
        return;
      }
      if (this.#open < OPEN_MAX) {
        void this.#call(this.#random.pick(ACTORS), this.#random.pick(this.#cluster.hosts));
      }
      this.start();
    });
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Actors answer, through some host. */
  async probe(actors: readonly Actor[]): Promise<void> {
    await Promise.all(
      actors.map(async (actor) => {
        const host = this.#random.pick(this.#cluster.hosts);
        const startMs = this.#cluster.world.nowMs;
        const failure = await this.#call(actor, host);
        const tookMs = this.#cluster.world.nowMs - startMs;
        if (failure !== undefined || tookMs > PROBE_MS) {
          this.#cluster.ledger.violate(
            `${actorKey(actor)} does not answer through ${host.machine.name} though all is well: ${failure ?? "late"} after ${tookMs.toFixed()} ms`,
          );
        }
      }),
    );
  }

  /** @returns why it failed */
  async #call(actor: Actor, host: HostNode): Promise<string | undefined> {
    const { ledger, network, world } = this.#cluster;
    this.#count += 1;
    this.#open += 1;
    const op = `${this.machine.name}-${this.#count}`;
    ledger.asked(op);
    world.note(`${op}: ${actorKey(actor)} through ${host.machine.name}`);
    const startMs = world.nowMs;
    let failure: string | undefined;
    try {
      await network.ask(this.#process, host.machine, `call ${op}`, PATIENCE_MS, async () => {
        if (host.life === undefined) {
          throw new Error("the sidecar is not there");
        }
        return await host.life.actors.call(counterCall(actor, op));
      });
      ledger.acknowledged(actorKey(actor), op);
    } catch (error) {
      failure = errorMessage(error);
      ledger.stats.failed += 1;
    }
    this.#open -= 1;
    world.note(`${op}: ${failure ?? "done"}`);
    this.#judge(actor, host, op, startMs, failure);
    return failure;
  }

  /** A call on whose way all was well, of an actor that stayed where it was, has neither failed nor waited. */
  #judge(actor: Actor, host: HostNode, op: string, startMs: number, failure: string | undefined): void {
    const { world, ledger } = this.#cluster;
    const tookMs = world.nowMs - startMs;
    const ownerAddress = this.#calmOwner(actor, host, startMs);
    if (ownerAddress === undefined) {
      return;
    }
    ledger.stats.calm += 1;
    if (failure !== undefined || tookMs > CALM_MS) {
      ledger.violate(
        `${op} of ${actorKey(actor)} through ${host.machine.name} at ${ownerAddress}, none of them disturbed: ${failure ?? "waited"} after ${tookMs.toFixed()} ms`,
      );
    }
  }

  #calmOwner(actor: Actor, host: HostNode, startMs: number): string | undefined {
    const { disturbances, owners, hosts, leader, store, busyUntilMs } = this.#cluster;
    const sinceMs = startMs - CALM_BEFORE_MS;
    this.#cluster.lookAtOwners();
    const address = owners.onlyOwnerSince(sinceMs, actor.id, host.address);
    const owner = hosts.find((one) => one.address === address);
    if (owner === undefined || leader === undefined || (busyUntilMs.get(actorKey(actor)) ?? 0) > startMs) {
      return undefined;
    }
    const [h, o, s, p] = [host, owner, store, leader].map(({ machine }) => machine.name) as [
      string,
      string,
      string,
      string,
    ];
    const path = [h, o, s, p, "network", way(h, o), way(o, s), way(h, p), way(o, p), way(this.machine.name, h)];
    return path.every((one) => disturbances.isWellSince(one, sinceMs)) ? address : undefined;
  }
}
