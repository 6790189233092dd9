import type { Cluster } from "./cluster.ts";
import { way } from "./disturbances.ts";
import { FAIR } from "./network.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { Machine } from "./simulated-process.ts";

/** Milliseconds that a process is stopped at most. */
export const STOP_MS_MAX = 14_000;

/** Something that goes wrong, and how it is put right. */
interface Trouble {
  readonly what: string;
  readonly lastsMs: number;
  /** @returns undoes it */
  begin(): () => void;
}

/** Something with a process that can be killed and started. */
interface Node {
  readonly machine: Machine;
  start(): void;
  kill(): void;
}

/** Makes trouble for a cluster, by a seed. */
export class Troubles {
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  /** What is being undone later, by its number. */
  readonly #undo = new Map<number, () => void>();
  /** Nodes whose process is in trouble already. */
  readonly #taken = new Set<Node>();
  #count = 0;

  constructor(cluster: Cluster, seed: number) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(seed, "troubles");
  }

  /** Troubles that have begun. */
  get count(): number {
    return this.#count;
  }

  /** Begins one trouble after the other until then. */
  plan(fromMs: number, untilMs: number): void {
    const { world } = this.#cluster;
    const restlessness = this.#random.pick([1_200, 2_500, 5_000]);
    for (let atMs = fromMs; atMs < untilMs; atMs += this.#random.between(0, 2 * restlessness)) {
      world.after(atMs, "trouble", () => {
        const trouble = this.#any();
        if (trouble !== undefined) {
          this.#begin(trouble);
        }
      });
    }
  }

  /** Puts everything right. */
  end(): void {
    for (const undo of this.#undo.values()) {
      undo();
    }
    this.#cluster.world.note("peace");
  }

  #begin({ what, lastsMs, begin }: Trouble): void {
    const { world } = this.#cluster;
    this.#count += 1;
    const number = this.#count;
    world.note(`TROUBLE ${number}: ${what} for ${lastsMs.toFixed()} ms`);
    const end = begin();
    const undo = (): void => {
      if (this.#undo.delete(number)) {
        world.note(`trouble ${number} is over: ${what}`);
        end();
      }
    };
    this.#undo.set(number, undo);
    world.after(lastsMs, `trouble ${number}`, undo);
  }

  #any(): Trouble | undefined {
    const random = this.#random;
    const { hosts, placement, scheduler, store } = this.#cluster;
    const host = random.pick(hosts);
    const member = random.pick(placement);
    const odds = random.next();
    if (odds < 0.22)
      return this.#pause(host, random.pick([random.between(50, 900), random.between(1_000, STOP_MS_MAX)]));
    if (odds < 0.36) return this.#kill(host, random.between(100, 6_000), random.chance(0.3));
    if (odds < 0.42) return this.#restart();
    if (odds < 0.56) return this.#cut();
    if (odds < 0.62) return this.#slowWay(host.machine, random.pick([store, store, member]).machine);
    if (odds < 0.67) return this.#pause(member, random.between(500, 7_000));
    if (odds < 0.72) return this.#kill(member, random.between(500, 5_000), random.chance(0.3));
    if (odds < 0.76) return this.#pause(scheduler, random.between(500, 8_000));
    if (odds < 0.86) return this.#kill(scheduler, random.between(200, 5_000), random.chance(0.5));
    if (odds < 0.92) return this.#setClock(random.pick([host, member, scheduler, scheduler]));
    return this.#random.chance(0.3) ? this.#slow() : this.#isolate(random.pick([host, host, member, store, scheduler]));
  }

  #pause(node: Node, lastsMs: number): Trouble | undefined {
    const { name } = node.machine;
    return this.#ofProcess(node, {
      what: `${name} is stopped`,
      lastsMs,
      begin: () => {
        const { process } = node.machine;
        process?.pause();
        return () => process?.resume();
      },
    });
  }

  #kill(node: Node, lastsMs: number, losesPower: boolean): Trouble | undefined {
    const { machine } = node;
    return this.#ofProcess(node, {
      what: losesPower ? `${machine.name} loses power` : `${machine.name} is killed`,
      lastsMs,
      begin: () => {
        machine.isUp = !losesPower;
        machine.hasLostPower ||= losesPower;
        node.kill();
        return () => {
          machine.isUp = true;
          node.start();
        };
      },
    });
  }

  /** A host ends in peace and comes back. */
  #restart(): Trouble | undefined {
    const host = this.#random.pick(this.#cluster.hosts);
    return this.#ofProcess(host, {
      what: `${host.machine.name} is restarted`,
      lastsMs: this.#random.between(3_000, 7_000),
      begin: () => {
        void host.stop().catch((error: unknown) => this.#cluster.broken(`${host.machine.name} does not stop`, error));
        return () => {
          host.kill();
          host.start();
        };
      },
    });
  }

  #ofProcess(node: Node, trouble: Trouble): Trouble | undefined {
    if (this.#taken.has(node)) {
      return undefined;
    }
    return this.#disturbing([node.machine.name], {
      ...trouble,
      begin: () => {
        this.#taken.add(node);
        const end = trouble.begin();
        return () => {
          this.#taken.delete(node);
          end();
        };
      },
    });
  }

  /** Two machines do not reach each other, or one of them does not reach the other. */
  #cut(): Trouble {
    const random = this.#random;
    const { hosts, placement, scheduler, store, network } = this.#cluster;
    const from = random.pick([...hosts, ...hosts, ...placement]).machine;
    const others = [...hosts, ...placement, scheduler, store].map(({ machine }) => machine);
    const to = random.pick(others.filter((machine) => machine !== from));
    const oneWay = random.chance(0.3);
    return this.#disturbing([way(from.name, to.name)], {
      what: oneWay ? `${from.name} does not reach ${to.name}` : `${from.name} and ${to.name} are cut off`,
      lastsMs: random.pick([random.between(100, 2_000), random.between(2_000, 16_000)]),
      begin: () => {
        network.cut(from, to);
        if (!oneWay) network.cut(to, from);
        return () => {
          network.heal(from, to);
          network.heal(to, from);
        };
      },
    });
  }

  /** What one machine sends to another is under way for seconds: it may come after its sender is gone. */
  #slowWay(from: Machine, to: Machine): Trouble {
    const { network } = this.#cluster;
    return this.#disturbing([way(from.name, to.name)], {
      what: `what ${from.name} sends to ${to.name} is slow`,
      lastsMs: this.#random.between(1_000, 10_000),
      begin: () => {
        network.slowDown(from, to, this.#random.between(1_000, 15_000));
        return () => network.slowDown(from, to, 0);
      },
    });
  }

  #isolate({ machine }: { readonly machine: Machine }): Trouble {
    const { network } = this.#cluster;
    const others = [...network.machines.values()].filter((other) => other !== machine);
    return this.#disturbing([machine.name], {
      what: `${machine.name} is cut off from all`,
      lastsMs: this.#random.between(300, 9_000),
      begin: () => {
        for (const other of others) {
          network.cut(machine, other);
          network.cut(other, machine);
        }
        return () => {
          for (const other of others) {
            network.heal(machine, other);
            network.heal(other, machine);
          }
        };
      },
    });
  }

  /** Somebody sets the wall clock; monotonic time goes on. */
  #setClock({ machine }: { readonly machine: Machine }): Trouble {
    const byMs = this.#random.pick([-1, 1]) * this.#random.between(100, 20_000);
    return {
      what: `${machine.name} has its clock set by ${byMs.toFixed()} ms`,
      lastsMs: this.#random.between(1_000, 15_000),
      begin: () => {
        machine.wallOffsetMs += byMs;
        return () => void (machine.wallOffsetMs -= byMs);
      },
    };
  }

  #slow(): Trouble {
    const { network } = this.#cluster;
    return this.#disturbing(["network"], {
      what: "the network is slow",
      lastsMs: this.#random.between(500, 5_000),
      begin: () => {
        network.weather = { leastMs: 1, mostMs: this.#random.between(20, 700), spikeOdds: 0.02, spikeMs: 1_500 };
        return () => void (network.weather = FAIR);
      },
    });
  }

  #disturbing(what: readonly string[], trouble: Trouble): Trouble {
    const { disturbances } = this.#cluster;
    return {
      ...trouble,
      begin: () => {
        for (const one of what) disturbances.begin(one);
        const end = trouble.begin();
        return () => {
          end();
          for (const one of what) disturbances.end(one);
        };
      },
    };
  }
}
