import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import { seededRandom } from "../../kit/seeded-random.fixture.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { Election, type Vote, type VoteRequest } from "./election.ts";

/** Steps in which virtual time goes on, and the delay of one message unless a test says otherwise. */
const STEP_MS = 5;

interface Voter {
  election: Election;
  clock: VirtualClock;
  running: boolean;
  /** Its process is stopped: no timer runs, no message is taken, time goes on. */
  stalled: boolean;
}

/** Elections of some members over a network that loses, delays and cuts off, in virtual time. */
export class Ballots {
  /** `m0 leads`, `m0 leads no longer`, in order. */
  readonly told: string[] = [];
  /** Milliseconds that the next message takes; undefined: it is lost. */
  delayMs: () => number | undefined = () => STEP_MS;
  readonly ids: readonly string[];
  readonly #random: Pick<Random, "next">;
  readonly #voters = new Map<string, Voter>();
  readonly #away = new Set<string>();
  #wire: { atMs: number; deliver: () => void }[] = [];
  #nowMs = 0;
  #campaigns = 0;

  constructor(members: number, seed = 1) {
    this.#random = { next: seededRandom(seed) };
    this.ids = Array.from({ length: members }, (_, index) => `m${index}`);
  }

  startAll(): void {
    for (const id of this.ids) {
      this.start(id);
    }
  }

  start(id: string): void {
    const voter = this.#create(id);
    this.#voters.set(id, voter);
    voter.election.start();
  }

  /** A crash and a new process: all that it knew is lost. */
  restart(id: string): void {
    this.crash(id);
    this.start(id);
  }

  crash(id: string): void {
    const voter = this.#voters.get(id);
    if (voter !== undefined) {
      voter.running = false;
    }
  }

  /** Starts it again if it has crashed. */
  ensureRunning(id: string): void {
    if (this.#voters.get(id)?.running !== true) {
      this.start(id);
    }
  }

  async stop(id: string): Promise<void> {
    const voter = this.#voters.get(id);
    const stopped = voter?.election.stop();
    await this.run(10 * STEP_MS);
    await stopped;
    this.crash(id);
  }

  /** Like SIGSTOP and SIGCONT. */
  stall(id: string, stalled: boolean): void {
    const voter = this.#voters.get(id);
    if (voter !== undefined) {
      voter.stalled = stalled;
    }
  }

  cutOff(id: string): void {
    this.#away.add(id);
  }

  heal(): void {
    this.#away.clear();
    for (const voter of this.#voters.values()) {
      voter.stalled = false;
    }
  }

  /** Members that say they lead now, stopped processes among them: their time is over too. */
  leaders(): string[] {
    return [...this.#voters].filter(([, voter]) => voter.running && voter.election.leads).map(([id]) => id);
  }

  ask(voter: string, candidate: string, campaign: string, release = false): Vote {
    return this.#vote(voter, { candidate, campaign, release });
  }

  #vote(voter: string, request: VoteRequest): Vote {
    const vote = this.#voters.get(voter)?.election.vote(request);
    if (vote === undefined) {
      throw new Error(`${voter} has not been started`);
    }
    return vote;
  }

  /** Lets time pass; `check` runs at every step. */
  async run(durationMs: number, check?: () => void): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    while (this.#nowMs < endMs) {
      this.#nowMs += STEP_MS;
      for (const voter of this.#voters.values()) {
        // A stopped process finds its timers due when it goes on.
        if (voter.running && !voter.stalled) {
          voter.clock.advance(this.#nowMs - voter.clock.now());
        }
      }
      const due = this.#wire.filter(({ atMs }) => atMs <= this.#nowMs);
      this.#wire = this.#wire.filter(({ atMs }) => atMs > this.#nowMs);
      for (const { deliver } of due) {
        deliver();
      }
      if (due.length > 0) {
        await new Promise(setImmediate);
      }
      check?.();
    }
  }

  #create(id: string): Voter {
    const timers = new VirtualClock(this.#nowMs);
    const now = (): number => this.#nowMs;
    const clock: Clock = {
      now,
      monotonicMs: now,
      after: (delayMs, action) => timers.after(delayMs, action),
      every: (periodMs, action) => timers.every(periodMs, action),
    };
    const voter: Voter = {
      clock: timers,
      running: true,
      stalled: false,
      election: new Election({
        id,
        members: this.ids,
        ask: (member, request) => this.#send(voter, id, member, request),
        onChange: (leads) => void this.told.push(`${id} leads${leads ? "" : " no longer"}`),
        clock,
        random: {
          ...this.#random,
          uuid: () => `campaign-${(this.#campaigns += 1)}`,
          bytes: (length) => new Uint8Array(length),
        },
        logger: silentLogger,
      }),
    };
    return voter;
  }

  /** An answer that never comes is one that came too late: the asker's own timeout is not simulated. */
  #send(asker: Voter, from: string, to: string, request: VoteRequest): Promise<Vote> {
    return new Promise((resolve) => {
      this.#post(from, to, () => {
        const vote = this.#vote(to, request);
        this.#post(to, from, () => {
          if (asker.running) {
            resolve(vote);
          }
        });
      });
    });
  }

  #post(from: string, to: string, deliver: () => void): void {
    const delayMs = this.delayMs();
    if (delayMs === undefined || this.#away.has(from) || this.#away.has(to)) {
      return;
    }
    const arrive = (): void => {
      const voter = this.#voters.get(to);
      if (voter?.running !== true || this.#away.has(to)) {
        return;
      }
      if (voter.stalled) {
        this.#wire.push({ atMs: this.#nowMs + STEP_MS, deliver: arrive });
        return;
      }
      deliver();
    };
    this.#wire.push({ atMs: this.#nowMs + delayMs, deliver: arrive });
  }
}
