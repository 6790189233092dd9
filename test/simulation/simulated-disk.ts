import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KeyStatement, keyStoreOptions } from "../../src/control-plane/scheduler/store/sqlite-schema.ts";
import type { Engine, EngineOptions } from "../../src/storage/engine.ts";
import { openLocalEngine } from "../../src/storage/local-engine.ts";
import { crashDuring } from "../../src/storage/simulated-disk.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { World } from "./world.ts";

/** Milliseconds that a group of writes takes to be on disk; now and then a disk has something else to do. */
const WRITE_MS = [0.3, 6] as const;
const SLOW_ODDS = 0.01;
const SLOW_MS = 400;

/** A folder in memory where the system has one: a simulated disk need not wait for a real one. */
const FOLDERS = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** What a disk may do wrong when a bug is planted in it. */
export interface DiskFaults {
  /** The last group that was acknowledged is not there after a crash. */
  readonly forgetsAcknowledged: boolean;
}

/** The scheduler's disk: what was synced survives its process, what was being written may be torn. */
export class SimulatedDisk {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #faults: DiskFaults;
  readonly #folder = mkdtempSync(join(FOLDERS, "outrigger-simulation-"));
  readonly #engines: Engine<KeyStatement>[] = [];
  #generation = 0;
  /** Writes that have not reached the disk. */
  #flush: (() => void) | undefined;
  #process: SimulatedProcess | undefined;

  constructor(world: World, random: SeededRandom, faults: DiskFaults) {
    this.#world = world;
    this.#random = random;
    this.#faults = faults;
  }

  /** Opens what the last process has left. */
  open(process: SimulatedProcess): Engine<KeyStatement> {
    this.#process = process;
    const engine = openLocalEngine(this.#options(process), { schedule: (flush) => this.#schedule(process, flush) });
    this.#engines.push(engine);
    return engine;
  }

  /** The process has been killed, or its machine has lost power. */
  crash(): void {
    const from = this.#file();
    const flush = this.#flush;
    this.#flush = undefined;
    this.#generation += 1;
    if (this.#faults.forgetsAcknowledged && existsSync(`${from}.before`)) {
      copy(`${from}.before`, this.#file());
      return;
    }
    crashDuring(flush ?? (() => undefined), from, this.#file(), this.#random);
  }

  /** A process that has ended in peace has written everything. */
  async remove(): Promise<void> {
    for (const engine of this.#engines) {
      await engine.close();
    }
    rmSync(this.#folder, { recursive: true });
  }

  #options(process: SimulatedProcess): EngineOptions<KeyStatement> {
    return { ...keyStoreOptions(this.#folder, process.clock), file: this.#file() };
  }

  #file(): string {
    return join(this.#folder, `${this.#generation}.db`);
  }

  #schedule(process: SimulatedProcess, flush: () => void): void {
    this.#flush = flush;
    const slow = this.#random.chance(SLOW_ODDS) ? this.#random.between(0, SLOW_MS) : 0;
    this.#world.after(this.#random.between(...WRITE_MS) + slow, `${process.name} disk`, () =>
      process.take(this, "disk", () => {
        if (this.#process === process && this.#flush === flush) {
          this.#flush = undefined;
          if (this.#faults.forgetsAcknowledged) {
            copy(this.#file(), `${this.#file()}.before`);
          }
          flush();
        }
      }),
    );
  }
}

/** A database with its log. */
function copy(from: string, to: string): void {
  copyFileSync(from, to);
  copyFileSync(`${from}-wal`, `${to}-wal`);
}
