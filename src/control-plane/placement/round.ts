import type { Clock, Timer } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { SPAN_KIND, type Tracer, type TraceSpan } from "../../kit/trace-context.ts";
import { type HostTable, losersOf } from "./host-table.ts";
import { isAsked, type Member, type Phase } from "./member.ts";
import type { Order, TableSnapshot } from "./types.ts";

export interface RoundOptions {
  readonly namespace: string;
  /** Those who take part; they come and go while a round is under way. */
  readonly members: ReadonlySet<Member>;
  readonly table: HostTable;
  readonly timeoutMs: number;
  /** How long changes are collected after a round; 0: not at all. */
  readonly coalesceWindowMs: number;
  readonly clock: Clock;
  /** Absent: rounds have no spans. */
  readonly tracer?: Tracer | undefined;
  readonly logger: Logger;
  /** A round is over, and so is the window after it. */
  readonly onOver: () => void;
  /** The time for a round is up. @param laggards those who have not answered */
  readonly onTimeout: (laggards: readonly Member[]) => void;
}

/**
 * One round at a time: lock, update, unlock; each phase begins when everybody who is asked has acknowledged the one before.
 * Which tables were told last, and which of them everybody has carried out.
 */
export class Round {
  readonly #options: RoundOptions;
  #phase: Phase = "idle";
  #version = 0;
  #unanswered = 0;
  #timeout: Timer | undefined;
  #window: Timer | undefined;
  #span: TraceSpan | undefined;
  /** The last tables that were told. */
  #tables: TableSnapshot | undefined;
  /** The last tables that everybody has carried out. */
  #agreed: TableSnapshot | undefined;

  constructor(options: RoundOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get version(): number {
    return this.#version;
  }

  /** Neither a round nor the window after one is under way. */
  get isResting(): boolean {
    return this.#phase === "idle" && this.#window === undefined;
  }

  /** Begins a round, also instead of one under way. @param versionMin the new version is above it */
  begin(versionMin: number): void {
    const { members, table, clock, timeoutMs } = this.#options;
    this.rest();
    if (members.size === 0) {
      this.#forgetTables();
      return;
    }
    const version = Math.max(this.#version, versionMin) + 1;
    this.#version = version;
    for (const member of members) {
      member.tableVersion = version;
      if (member.peer !== undefined && table.has(member.stream)) {
        member.peer.mayHold = true;
      }
    }
    this.#timeout = clock.after(timeoutMs, () => this.#late());
    this.#span = this.#options.tracer?.start(`placement/${this.#options.namespace}`, SPAN_KIND.internal, undefined);
    this.#span?.set("placement.version", version);
    this.#span?.set("placement.sidecars", members.size);
    this.#ask("lock", { operation: "lock", version });
  }

  /** A phase is acknowledged, if it is the one under way. */
  answered(member: Member, phase: Phase): void {
    if (phase === this.#phase && phase !== "idle" && !member.answered) {
      member.answered = true;
      this.#unanswered -= 1;
      this.advance();
    }
  }

  /** Somebody takes part no longer. `advance` or `begin` has to follow. */
  left(member: Member): void {
    if (this.#phase !== "idle" && !member.answered) {
      this.#unanswered -= 1;
    }
  }

  /** Goes on when everybody has answered; with nobody left there is nobody to tell. */
  advance(): void {
    if (this.#phase === "idle" || this.#unanswered > 0) {
      return;
    }
    const { members } = this.#options;
    const version = this.#version;
    if (members.size === 0 || this.#phase === "unlock") {
      this.#finish();
    } else if (this.#phase === "lock") {
      const tables = this.#snapshot();
      const losers = losersOf(this.#agreed, tables);
      for (const { peer, host } of members) {
        if (peer !== undefined) {
          peer.mayLose = peer.mayHold && (peer.isCutOff || losers === undefined || losers.has(host.name));
        }
      }
      this.#ask("update", { operation: "update", version, tables });
    } else {
      this.#ask("unlock", { operation: "unlock", version });
    }
  }

  /** The table for a sidecar without actor types, which changes nothing for the others: its answers are not waited for. */
  push(member: Member): void {
    const version = this.#version;
    member.tableVersion = version;
    member.sink.send({ operation: "lock", version });
    member.sink.send({ operation: "update", version, tables: this.#tables ?? this.#snapshot() });
    member.sink.send({ operation: "unlock", version });
  }

  /** What a sidecar of ours needs to know that comes into the middle of things. */
  catchUp({ peer }: Member): void {
    if (this.#tables === undefined) {
      return;
    }
    peer?.sink?.send({ kind: "table", tables: this.#tables });
    // A round that took too long has told tables that not everybody has carried out.
    const isAgreed = this.#phase === "lock" ? this.#tables === this.#agreed : this.#phase !== "update";
    if (isAgreed) {
      peer?.sink?.send({ kind: "agreed", version: this.#tables.version });
    }
  }

  /** Ends what is under way. */
  rest(): void {
    this.#phase = "idle";
    this.#span?.end();
    this.#span = undefined;
    this.#timeout?.cancel();
    this.#timeout = undefined;
    this.#window?.cancel();
    this.#window = undefined;
  }

  #snapshot(): TableSnapshot {
    this.#tables = this.#options.table.snapshot(this.#version);
    return this.#tables;
  }

  /** Begins a phase. */
  #ask(phase: Exclude<Phase, "idle">, order: Order): void {
    const { logger, namespace, members } = this.#options;
    logger.debug(
      `Sending ${phase.toUpperCase()} for version ${order.version} to ${members.size} streams of ${namespace}`,
    );
    this.#phase = phase;
    this.#unanswered = 0;
    for (const member of members) {
      member.answered = !isAsked(member, phase);
      this.#unanswered += member.answered ? 0 : 1;
    }
    for (const { sink } of members) {
      sink.send(order);
    }
    this.advance();
  }

  #finish(): void {
    const { logger, namespace, coalesceWindowMs, clock, members, onOver } = this.#options;
    logger.debug(`Dissemination of version ${this.#version} in ${namespace} complete`);
    this.#agreed = this.#tables;
    if (members.size === 0) {
      // The last one may have left while locked: the tables are those of the round before, with hosts that have gone.
      this.#forgetTables();
    }
    for (const { peer, host } of members) {
      if (peer !== undefined) {
        peer.mayHold = this.#tables?.hosts.has(host.name) === true;
      }
    }
    this.rest();
    if (coalesceWindowMs === 0 || members.size === 0) {
      onOver();
      return;
    }
    this.#window = clock.after(coalesceWindowMs, () => {
      this.#window = undefined;
      onOver();
    });
  }

  /** Nobody is left who knows them. */
  #forgetTables(): void {
    this.#tables = undefined;
    this.#agreed = undefined;
  }

  #late(): void {
    const { logger, members, onTimeout } = this.#options;
    this.#span?.fail("some sidecars did not answer in time");
    logger.warn(`Dissemination timeout for version ${this.#version}`);
    onTimeout([...members].filter(({ answered }) => !answered));
  }
}
