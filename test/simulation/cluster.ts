import { errorMessage } from "../../src/kit/error-message.ts";
import type { Logger } from "../../src/kit/logger.ts";
import { Disturbances } from "./disturbances.ts";
import { HostNode } from "./host-node.ts";
import { Ledger } from "./ledger.ts";
import { Network } from "./network.ts";
import { Owners } from "./owners.ts";
import { PlacementNode } from "./placement-node.ts";
import type { Plant } from "./plants.ts";
import { SchedulerNode } from "./scheduler-node.ts";
import { SeededRandom } from "./seeded-random.ts";
import { Machine, type SimulatedProcess } from "./simulated-process.ts";
import { Ports, type SimulatedTransport } from "./simulated-transport.ts";
import { StoreNode } from "./store-node.ts";
import { World } from "./world.ts";

/** Milliseconds between two looks at who owns what. */
const OWNERS_MS = 100;

/** Milliseconds after a long turn in which calls may still be waiting. */
const AFTER_LONG_TURN_MS = 1_000;

/** All machines of one simulation, and what they have in common. */
export class Cluster {
  readonly world = new World();
  readonly random: SeededRandom;
  readonly network: Network;
  readonly ports = new Ports();
  readonly ledger: Ledger;
  readonly disturbances: Disturbances;
  readonly owners = new Owners();
  readonly hosts: readonly HostNode[];
  readonly placement: readonly PlacementNode[];
  readonly scheduler: SchedulerNode;
  readonly store: StoreNode;
  readonly plant: Plant | undefined;
  /** Says whose app outlives its sidecar. */
  readonly outliving: SeededRandom;
  /** A host that starts again has another address, as a pod has. */
  readonly movesHosts: boolean;
  /** Until when an actor is busy with turns that take long, by its key. */
  readonly busyUntilMs = new Map<string, number>();
  /** Nothing is disturbed any more. */
  isPeace = false;
  readonly #seed: number;
  readonly #logs: boolean;

  /** @param logs log lines become part of the trace */
  constructor(seed: number, plant: Plant | undefined, logs: boolean) {
    this.#seed = seed;
    this.#logs = logs;
    this.plant = plant;
    this.random = new SeededRandom(seed, "cluster");
    this.outliving = new SeededRandom(seed, "outliving");
    this.movesHosts = this.random.chance(0.3);
    this.network = new Network(this.world, new SeededRandom(seed, "network"));
    this.ledger = new Ledger(this.world);
    this.disturbances = new Disturbances(this.world);
    const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
    this.hosts = names("h", this.random.whole(3, 5)).map((name) => new HostNode(this.machine(name), this));
    const members = this.random.chance(0.3) ? 1 : 3;
    this.placement = names("p", members).map((name) => new PlacementNode(this.machine(name), this));
    this.scheduler = new SchedulerNode(this.machine("scheduler"), this);
    this.store = new StoreNode(this.machine("store"), this.network, this.ledger, plant === "no fence");
  }

  /** A machine of that name, known in the network. */
  machine(name: string): Machine {
    const machine = new Machine(this.world, name, this.#seed);
    this.network.machines.set(name, machine);
    return machine;
  }

  async start(): Promise<void> {
    await this.store.start();
    for (const member of this.placement) {
      member.start();
    }
    this.scheduler.start();
    for (const host of this.hosts) {
      this.world.after(this.random.between(0, 500), `${host.machine.name} starts`, () => host.start());
    }
    this.#watchOwners();
  }

  get leader(): PlacementNode | undefined {
    return this.placement.find(({ leads }) => leads);
  }

  /** Lets time pass until then, with an eye on what must hold. @throws Violation */
  async pass(untilMs: number): Promise<void> {
    await this.world.run(untilMs, () => this.check());
    this.check();
  }

  /** Looks at what must hold at every moment. @throws Violation */
  check(): void {
    const leaders = this.placement.filter(({ leads }) => leads);
    if (leaders.length > 1) {
      this.ledger.violate(`two leaders of placement: ${leaders.map(({ machine }) => machine.name).join(" and ")}`);
    }
    if (this.ledger.violation !== undefined) {
      throw this.ledger.violation;
    }
  }

  /** A turn of an actor takes long; others wait for it. */
  busy(actor: string, ms: number): void {
    const untilMs = this.world.nowMs + ms + AFTER_LONG_TURN_MS;
    this.busyUntilMs.set(actor, Math.max(untilMs, this.busyUntilMs.get(actor) ?? 0));
  }

  /** Something that must work did not. */
  broken(what: string, error: unknown): void {
    this.ledger.violate(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : errorMessage(error)}`);
  }

  /** A process has ended in peace: it must not leave anything behind. */
  ended(process: SimulatedProcess, transport: SimulatedTransport): void {
    if (this.isPeace && process.pendingTimers > 0) {
      this.ledger.violate(`${process.name} leaves ${process.pendingTimers} timers behind`);
    }
    if (this.isPeace && transport.openStreams > 0) {
      this.ledger.violate(`${process.name} leaves ${transport.openStreams} streams open`);
    }
  }

  loggerOf(process: SimulatedProcess): Logger {
    const write = (level: string, message: string): void => {
      if (this.#logs) {
        this.world.note(`${process.name} ${level} ${message}`);
      }
      if (message.startsWith("bug:")) {
        this.ledger.violate(`${process.name}: ${message}`);
      }
    };
    const logger: Logger = {
      debug: (message) => write("debug", message),
      info: (message) => write("info", message),
      warn: (message) => write("warn", message),
      error: (message) => write("error", message),
      fatal: (message) => write("fatal", message),
      enabled: () => this.#logs,
      scope: () => logger,
    };
    return logger;
  }

  lookAtOwners(): void {
    this.owners.seen(this.world.nowMs, this.leader?.hosts() ?? []);
  }

  #watchOwners(): void {
    this.lookAtOwners();
    this.world.after(OWNERS_MS, "looks at the tables", () => this.#watchOwners());
  }
}
