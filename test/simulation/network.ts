import type { Machine, SimulatedProcess } from "./simulated-process.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { World } from "./world.ts";

/** What shares a lane arrives in the order in which it was sent. */
export class Lane {
  lastMs = 0;
}

/** How long packets take. */
export interface Weather {
  readonly leastMs: number;
  readonly mostMs: number;
  /** Some take this much longer. */
  readonly spikeOdds: number;
  readonly spikeMs: number;
}

export const FAIR: Weather = { leastMs: 0.2, mostMs: 3, spikeOdds: 0.002, spikeMs: 60 };

interface Held {
  readonly from: Machine;
  readonly to: Machine;
  readonly lane: Lane;
  readonly label: string;
  readonly arrive: () => void;
}

/** A connection was lost, or an answer did not come in time. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
}

/**
 * Packets between machines: late, out of order between lanes, held while the way is cut. Nothing is lost on a way that
 * heals, as with TCP, which sends again; it is connections that get lost.
 */
export class Network {
  readonly machines = new Map<string, Machine>();
  weather: Weather = FAIR;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #cut = new Set<string>();
  /** Milliseconds more that packets take on some ways. */
  readonly #slow = new Map<string, number>();
  #held: Held[] = [];

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** Nothing gets from one to the other; the other way may be open. */
  cut(from: Machine, to: Machine): void {
    this.#cut.add(`${from.name}>${to.name}`);
  }

  heal(from: Machine, to: Machine): void {
    if (!this.#cut.delete(`${from.name}>${to.name}`)) {
      return;
    }
    const held = this.#held;
    this.#held = [];
    for (const one of held) {
      this.post(one.from, one.to, one.lane, one.label, one.arrive);
    }
  }

  /** Packets from one to the other take so much longer, and may overtake each other. 0: no more. */
  slowDown(from: Machine, to: Machine, byMs: number): void {
    this.#slow.set(`${from.name}>${to.name}`, byMs);
  }

  isCut(from: Machine, to: Machine): boolean {
    return this.#cut.has(`${from.name}>${to.name}`);
  }

  post(from: Machine, to: Machine, lane: Lane, label: string, arrive: () => void): void {
    if (this.isCut(from, to)) {
      this.#held.push({ from, to, lane, label, arrive });
      return;
    }
    const { leastMs, mostMs, spikeOdds, spikeMs } = this.weather;
    const slowMs = this.#slow.get(`${from.name}>${to.name}`) ?? 0;
    const spike =
      (this.#random.chance(spikeOdds) ? this.#random.between(0, spikeMs) : 0) + this.#random.next() * slowMs;
    const delayMs = from === to ? this.#random.between(0.02, 0.2) : this.#random.between(leastMs, mostMs) + spike;
    const nowMs = this.#world.nowMs;
    lane.lastMs = Math.max(lane.lastMs, nowMs + delayMs);
    this.#world.after(lane.lastMs - nowMs, `${from.name}>${to.name} ${label}`, arrive);
  }

  /**
   * A question to whatever process runs on a machine, on a connection of its own.
   * @throws NetworkError when the connection is lost or the answer late: it may have been carried out, or may be yet
   */
  ask<T>(
    from: SimulatedProcess,
    to: Machine,
    label: string,
    timeoutMs: number,
    work: (process: SimulatedProcess) => Promise<T> | T,
  ): Promise<T> {
    const there = new Lane();
    const back = new Lane();
    return new Promise<T>((resolve, reject) => {
      const timer = from.clock.after(timeoutMs, () => reject(new NetworkError(`${label}: no answer in time`)));
      const answer = (text: string, settle: () => void): void => {
        this.post(to, from.machine, back, `${label} ${text}`, () =>
          from.take(back, text, () => {
            timer.cancel();
            settle();
          }),
        );
      };
      this.post(from.machine, to, there, label, () => {
        const target = to.process;
        if (!to.isUp) {
          return;
        }
        if (target?.isAlive !== true) {
          answer("refused", () => reject(new NetworkError(`${label}: connection refused`)));
          return;
        }
        const unwatch = target.onEnd(() => {
          if (to.isUp) {
            answer("lost", () => reject(new NetworkError(`${label}: connection lost`)));
          }
        });
        target.take(there, label, () => {
          void (async () => await work(target))().then(
            (result) => {
              unwatch();
              if (target.isAlive) {
                answer("done", () => resolve(result));
              }
            },
            (error: unknown) => {
              unwatch();
              if (target.isAlive) {
                answer("failed", () => reject(error instanceof Error ? error : new Error(String(error))));
              }
            },
          );
        });
      });
    });
  }
}
