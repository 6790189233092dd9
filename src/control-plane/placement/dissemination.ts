import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import { formatGoDuration } from "../../kit/duration.ts";
import type { Logger } from "../../kit/logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { type Host, HostOperation } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { HostTable } from "./host-table.ts";
import { type Member, type Phase, phaseOf } from "./member.ts";
import type { HostSink, NamespaceState, Order } from "./types.ts";

export interface DisseminationOptions {
  readonly namespace: string;
  readonly replicationFactor: number;
  /** Sidecars that have not answered when a round is this old are cut off. */
  readonly timeoutMs: number;
  /** After a round, how long changes are collected for the next one; 0: not at all. */
  readonly coalesceWindowMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told whenever sidecars have come or gone. */
  readonly onMembership: () => void;
}

/**
 * The rounds of one namespace (Dapr's `pkg/placement/internal/loops/disseminator`). A change of the table is told to all
 * sidecars in three phases, lock, update and unlock; a phase begins when all have acknowledged the one before. Sidecars
 * that come during a round wait for the next one, those that leave no longer count. Where Dapr waits for its timeout, a
 * round goes on here: when the last sidecar that had not answered leaves without actor types, and when nobody is left but
 * those who wait. Nor does it begin anew when types change during it, which a restless app can do for ever: one more
 * follows.
 */
export class Dissemination {
  readonly #options: DisseminationOptions;
  readonly #table: HostTable;
  readonly #members = new Set<Member>();
  readonly #waiting = new Set<Member>();
  /** Streams that have gone and are still in the table of the round under way. */
  readonly #gone = new Set<number>();
  /**
   * Another round has to follow: types have changed during this one, or a sidecar with types came and went while it waited,
   * which is told like any other leave.
   */
  #stale = false;
  #phase: Phase = "idle";
  #version = 0;
  #unanswered = 0;
  #streams = 0;
  #timeout: Timer | undefined;
  #window: Timer | undefined;

  constructor(options: DisseminationOptions) {
    this.#options = options;
    this.#table = new HostTable(options.replicationFactor);
  }

  /** Sidecars in the rounds, and those of them with actor types. */
  get runtimes(): number {
    return this.#members.size;
  }

  get actorRuntimes(): number {
    return this.#table.size - this.#gone.size;
  }

  get empty(): boolean {
    return this.#members.size === 0 && this.#waiting.size === 0;
  }

  state(): NamespaceState {
    return { version: this.#version, hosts: this.#table.hosts() };
  }

  open(host: Host, sink: HostSink): Member {
    const member: Member = { stream: this.#streams++, sink, host, answered: false, tableVersion: undefined };
    if (this.#phase === "idle" && this.#window === undefined) {
      this.#admit([member], false);
    } else {
      this.#waiting.add(member);
    }
    return member;
  }

  report(member: Member, host: Host): void {
    const { logger, namespace } = this.#options;
    if (this.#waiting.has(member)) {
      // Not asked anything yet: only what it hosts can be news.
      if (host.operation === HostOperation.REPORT || host.operation === HostOperation.UNKNOWN) {
        member.host = host;
      }
      return;
    }
    if (!this.#members.has(member)) {
      return;
    }
    if (host.version !== undefined && host.version < BigInt(this.#version)) {
      const late = `old version ${host.version} (current ${this.#version})`;
      logger.debug(`Ignoring report from stream ${namespace}:${member.stream} - ${late}`);
      return;
    }
    const phase = phaseOf(host.operation, this.#phase);
    if (phase === "idle") {
      this.#register(member, host);
    } else if (phase === this.#phase && !member.answered) {
      member.answered = true;
      this.#unanswered -= 1;
      this.#advance();
    }
  }

  close(member: Member): void {
    if (this.#waiting.delete(member)) {
      this.#stale ||= member.host.entities.length > 0;
      this.#options.onMembership();
      return;
    }
    if (!this.#members.delete(member)) {
      return;
    }
    const { stream } = member;
    if (this.#phase === "idle" && this.#window === undefined) {
      if (this.#table.delete(stream)) {
        this.#begin();
      }
    } else if (this.#phase === "lock") {
      // The table of this round has not been sent yet.
      this.#table.delete(stream);
    } else if (this.#table.has(stream)) {
      this.#gone.add(stream);
    }
    if (this.#phase !== "idle") {
      this.#unanswered -= member.answered ? 0 : 1;
      this.#advance();
    }
    this.#options.onMembership();
  }

  /** Ends all streams with one error. */
  end(error: GrpcError): void {
    const all = [...this.#members, ...this.#waiting];
    this.#members.clear();
    this.#waiting.clear();
    this.#rest();
    for (const { sink } of all) {
      sink.end(error);
    }
    this.#options.onMembership();
  }

  #register(member: Member, host: Host): void {
    member.host = host;
    if (this.#table.set(member.stream, host)) {
      this.#options.onMembership();
      if (this.#phase === "idle") {
        this.#begin();
      } else {
        // Also where the table of this round will have it: whoever reports other types expects a version of its own.
        this.#stale = true;
      }
    } else if (this.#phase === "idle" && member.tableVersion !== this.#version) {
      this.#push(member);
    }
  }

  /** @param changed whether the table has changed already */
  #admit(members: Iterable<Member>, changed: boolean): void {
    let another = changed;
    const added: Member[] = [];
    for (const member of members) {
      added.push(member);
      this.#members.add(member);
      another = this.#table.set(member.stream, member.host) || another;
    }
    if (added.length > 0) {
      this.#options.onMembership();
    }
    if (another) {
      this.#begin();
      return;
    }
    for (const member of added) {
      this.#push(member);
    }
  }

  /** The table for a sidecar without actor types, which changes nothing for the others: its answers are not waited for. */
  #push(member: Member): void {
    const version = this.#version;
    member.tableVersion = version;
    member.sink.send({ operation: "lock", version });
    member.sink.send({ operation: "update", version, tables: this.#table.snapshot(version) });
    member.sink.send({ operation: "unlock", version });
  }

  #begin(): void {
    this.#rest();
    this.#stale = false;
    if (this.#members.size === 0) {
      return;
    }
    this.#version += 1;
    const version = this.#version;
    for (const member of this.#members) {
      member.tableVersion = version;
    }
    this.#timeout = this.#options.clock.after(this.#options.timeoutMs, () => this.#onTimeout());
    this.#ask("lock", { operation: "lock", version });
  }

  /** Begins a phase. */
  #ask(phase: Exclude<Phase, "idle">, order: Order): void {
    const { logger, namespace } = this.#options;
    logger.debug(
      `Sending ${phase.toUpperCase()} for version ${order.version} to ${this.#members.size} streams of ${namespace}`,
    );
    this.#phase = phase;
    this.#unanswered = this.#members.size;
    for (const member of this.#members) {
      member.answered = false;
    }
    for (const { sink } of this.#members) {
      sink.send(order);
    }
  }

  /** Goes on when everybody has answered; with nobody left there is nobody to tell. */
  #advance(): void {
    if (this.#unanswered > 0) {
      return;
    }
    const version = this.#version;
    if (this.#members.size === 0 || this.#phase === "unlock") {
      this.#finish();
    } else if (this.#phase === "lock") {
      this.#ask("update", { operation: "update", version, tables: this.#table.snapshot(version) });
    } else if (this.#phase === "update") {
      this.#ask("unlock", { operation: "unlock", version });
    }
  }

  #finish(): void {
    const { logger, namespace, coalesceWindowMs, clock } = this.#options;
    logger.debug(`Dissemination of version ${this.#version} in ${namespace} complete`);
    this.#rest();
    if (coalesceWindowMs > 0 && this.#members.size > 0) {
      this.#window = clock.after(coalesceWindowMs, () => {
        this.#window = undefined;
        this.#takeChanges();
      });
      return;
    }
    this.#takeChanges();
  }

  /** What has gathered during the round becomes one next round. */
  #takeChanges(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    const changed = this.#dropGone() || this.#stale;
    this.#admit(waiting, changed);
  }

  #dropGone(): boolean {
    let changed = false;
    for (const stream of this.#gone) {
      changed = this.#table.delete(stream) || changed;
    }
    this.#gone.clear();
    return changed;
  }

  #rest(): void {
    this.#phase = "idle";
    this.#timeout?.cancel();
    this.#timeout = undefined;
    this.#window?.cancel();
    this.#window = undefined;
  }

  /** Those who have answered are not punished for the others, nor are those who wait. */
  #onTimeout(): void {
    const { logger, namespace, timeoutMs } = this.#options;
    const version = this.#version;
    logger.warn(`Dissemination timeout for version ${version}`);
    const error = new GrpcError(
      GRPC_STATUS.DEADLINE_EXCEEDED,
      `dissemination timeout after ${formatGoDuration(timeoutMs)} for version ${version}`,
    );
    const laggards = [...this.#members].filter(({ answered }) => !answered);
    for (const { stream, host, sink } of laggards) {
      logger.warn(
        `Closing non-responding stream ${namespace}:${stream} (app id ${host.id}, host ${host.name}; ${this.#phase} not answered)`,
      );
      sink.end(error);
    }
    for (const member of laggards) {
      this.#members.delete(member);
      this.#table.delete(member.stream);
    }
    this.#dropGone();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#admit(waiting, true);
    this.#options.onMembership();
  }
}
