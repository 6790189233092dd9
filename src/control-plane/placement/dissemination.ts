import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Clock } from "../../kit/clock.ts";
import { formatGoDuration } from "../../kit/duration.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { type Host, HostOperation } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { HostTable } from "./host-table.ts";
import { LEASE_MS } from "./limits.ts";
import { type Member, type PeerLink, phaseOf, sinkOf } from "./member.ts";
import { PeerLeases } from "./peer-leases.ts";
import { PeerWatch, type ProbeHost } from "./peer-watch.ts";
import { Round } from "./round.ts";
import { Settling } from "./settling.ts";
import type { HostSink, NamespaceState, PeerReport, PeerSink } from "./types.ts";

export interface DisseminationOptions {
  readonly namespace: string;
  readonly replicationFactor: number;
  /** Sidecars that have not answered when a round is this old are cut off. */
  readonly timeoutMs: number;
  /** After a round, how long changes are collected for the next one; 0: not at all. */
  readonly coalesceWindowMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Until when, on the monotonic clock, leases of an earlier leader may live; absent: there was none. */
  readonly settledAtMs?: number | undefined;
  readonly probe?: ProbeHost | undefined;
  /** Absent: rounds have no spans. */
  readonly tracer?: Tracer | undefined;
  /** Told whenever sidecars have come or gone. */
  readonly onMembership: () => void;
}

const ANOTHER_CAME = new GrpcError(GRPC_STATUS.UNAVAILABLE, "another sidecar has come to the same address");

/**
 * The rounds of one namespace (Dapr's `pkg/placement/internal/loops/disseminator`). A change of the table is told to all
 * sidecars in three phases, lock, update and unlock; a phase begins when all have acknowledged the one before. Sidecars
 * that come during a round wait for the next one, those that leave no longer count. Where Dapr waits for its timeout, a
 * round goes on here: when the last sidecar that had not answered leaves without actor types, and when nobody is left but
 * those who wait. Nor does it begin anew when types change during it, which a restless app can do for ever: one more
 * follows.
 *
 * Sidecars of ours take part in the same rounds, but know no lock, and only those that lose actors by the new table are
 * waited for, as long as their leases live: a stream that breaks changes nothing, one whose process is gone or whose lease
 * is over is out. So nobody is waited for when hosts have only gone.
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
  #streams = 0;
  readonly #round: Round;
  /** Sidecars of ours by their addresses. */
  readonly #peers = new Map<string, Member>();
  readonly #leases: PeerLeases;
  readonly #settling: Settling;
  readonly #watch: PeerWatch;

  constructor(options: DisseminationOptions) {
    const { replicationFactor, clock, settledAtMs, probe } = options;
    this.#options = options;
    this.#table = new HostTable(replicationFactor);
    this.#round = new Round({
      ...options,
      members: this.#members,
      table: this.#table,
      onOver: () => this.#takeChanges(),
      onTimeout: (laggards) => this.#cutOff(laggards),
    });
    this.#leases = new PeerLeases(clock, (member) => this.#leaseOver(member));
    this.#watch = new PeerWatch(clock, probe);
    this.#settling = new Settling(settledAtMs ?? clock.monotonicMs(), clock, () => this.#takeChangesIfIdle());
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
    return { version: this.#round.version, hosts: this.#table.hosts() };
  }

  /** @throws GrpcError for an address that is another app's */
  open(host: Host, sink: HostSink): Member {
    const before = this.#peerAt(host);
    const member: Member = {
      stream: this.#streams++,
      sink,
      host,
      answered: false,
      tableVersion: undefined,
      peer: undefined,
    };
    this.#enter(member, this.#replace(before));
    this.#settling.came(host.name, undefined);
    return member;
  }

  /**
   * A stream of a sidecar of ours, which may be the next one of a sidecar that is there already.
   * @throws GrpcError for one that has been given up, and has not noticed, and for an address that is another app's
   */
  openPeer({ host, incarnation, held, askedMs }: PeerReport, sink: PeerSink, leaseMs = LEASE_MS): Member {
    const known = this.#peerAt(host);
    if (known?.peer?.incarnation === incarnation) {
      this.#resume(known, known.peer, host, sink, askedMs);
      return known;
    }
    const resumed = held !== undefined && this.#settling.isOpen;
    const peer: PeerLink = {
      incarnation,
      leaseMs,
      leaseUntilMs: 0,
      mayHold: resumed || known?.peer?.mayHold === true,
      isCutOff: false,
      mayLose: known?.peer?.mayLose === true,
      isReachable: known?.peer?.isReachable === true,
      sink,
    };
    const stream = this.#streams++;
    const member: Member = { stream, sink: sinkOf(sink), host, answered: true, tableVersion: undefined, peer };
    this.#peers.set(host.name, member);
    this.#leases.grant(member, peer);
    this.#watch.meet(host.name, peer);
    sink.send({ kind: "welcome", leaseMs, resumed, askedMs });
    if (known === undefined) {
      this.#enter(member, false);
    } else {
      this.#succeed(known, member);
    }
    this.#settling.came(host.name, resumed ? held : undefined);
    return member;
  }

  /** What a sidecar of ours hosts has changed. */
  reportPeer(member: Member, host: Host, askedMs: number): void {
    this.askLease(member, askedMs);
    if (this.#waiting.has(member)) {
      member.host = host;
    } else if (this.#members.has(member)) {
      this.#register(member, host);
    }
  }

  /** A sidecar of ours has carried a table out. */
  applied(member: Member, version: number): void {
    if (this.#members.has(member) && version === this.#round.version) {
      this.#round.answered(member, "update");
    }
  }

  askLease(member: Member, askedMs: number): void {
    const { peer } = member;
    if (peer !== undefined && !peer.isCutOff && this.#peers.get(member.host.name) === member) {
      this.#leases.grant(member, peer);
      peer.sink?.send({ kind: "lease", askedMs });
    }
  }

  /** The stream of a sidecar of ours has broken. */
  lost(member: Member, sink: PeerSink): void {
    const { peer, host } = member;
    if (peer === undefined || peer.sink !== sink) {
      return;
    }
    peer.sink = undefined;
    member.sink = sinkOf(undefined);
    if (!peer.mayHold) {
      this.close(member);
      return;
    }
    this.#leases.limit(peer);
    const isMissed = (): boolean => peer.sink === undefined && this.#peers.get(host.name) === member;
    this.#watch.lookFor(host.name, peer, isMissed, () => {
      this.#options.logger.info(`Nothing listens at ${host.name} any more: app id ${host.id} is gone`);
      this.close(member);
    });
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
    const { version } = this.#round;
    if (host.version !== undefined && host.version < BigInt(version)) {
      const late = `old version ${host.version} (current ${version})`;
      logger.debug(`Ignoring report from stream ${namespace}:${member.stream} - ${late}`);
      return;
    }
    const phase = phaseOf(host.operation, this.#round.phase);
    if (phase === "idle") {
      this.#register(member, host);
    } else {
      this.#round.answered(member, phase);
    }
  }

  /** The sidecar is gone, or holds nothing any more. */
  close(member: Member): void {
    if (this.#remove(member)) {
      this.#begin();
    } else {
      this.#round.advance();
    }
    this.#options.onMembership();
  }

  /** Ends all streams with one error. */
  end(error: GrpcError): void {
    const all = [...this.#members, ...this.#waiting];
    this.#members.clear();
    this.#waiting.clear();
    this.#peers.clear();
    this.#leases.clear();
    this.#settling.close();
    this.#round.rest();
    for (const { sink } of all) {
      sink.end(error);
    }
    this.#options.onMembership();
  }

  #resume(member: Member, peer: PeerLink, host: Host, sink: PeerSink, askedMs: number): void {
    if (peer.isCutOff) {
      throw this.#timeoutError();
    }
    const before = peer.sink;
    peer.sink = sink;
    member.sink = sinkOf(sink);
    before?.end(new GrpcError(GRPC_STATUS.UNAVAILABLE, "the sidecar has opened another stream"));
    this.#leases.grant(member, peer);
    sink.send({ kind: "welcome", leaseMs: peer.leaseMs, resumed: true, askedMs });
    if (this.#members.has(member)) {
      this.#round.catchUp(member);
    }
    this.reportPeer(member, host, askedMs);
  }

  /** @returns whether the table has changed already, and a round has to begin */
  #remove(member: Member): boolean {
    const { stream, host, peer } = member;
    this.#leases.delete(member);
    if (peer !== undefined && this.#peers.get(host.name) === member) {
      this.#peers.delete(host.name);
    }
    if (this.#waiting.delete(member)) {
      this.#stale ||= host.entities.length > 0;
      return false;
    }
    if (!this.#members.delete(member)) {
      return false;
    }
    this.#round.left(member);
    if (this.#round.isResting) {
      return this.#table.delete(stream);
    }
    if (this.#round.phase === "lock") {
      // The table of this round has not been sent yet.
      this.#table.delete(stream);
    } else if (this.#table.has(stream)) {
      this.#gone.add(stream);
    }
    return false;
  }

  /**
   * The sidecar of ours that was at the address. That of another app is replaced only once its stream has broken: it acts by
   * its lease, which nobody may end who merely says that he has its address.
   */
  #peerAt({ name, id }: Host): Member | undefined {
    const known = this.#peers.get(name);
    if (known?.peer?.sink !== undefined && known.host.id !== id) {
      throw new GrpcError(
        GRPC_STATUS.UNAVAILABLE,
        `the address ${name} is that of app ID ${known.host.id}, whose sidecar is connected: ${id} must have one of its own`,
      );
    }
    return known;
  }

  /** A sidecar of Dapr's has come to the address of one of ours, of which it is the end. @returns as `#remove` */
  #replace(member: Member | undefined): boolean {
    if (member === undefined) {
      return false;
    }
    const changed = this.#remove(member);
    member.sink.end(ANOTHER_CAME);
    return changed;
  }

  /**
   * A sidecar comes as another one than the one at its address. It takes over the other's seat, and what that may hold: only
   * one process listens at an address, but this stream may be the earlier one, and have been on its way for long. Who
   * acknowledges a table shows that he is there.
   */
  #succeed(before: Member, member: Member): void {
    this.#leases.delete(before);
    before.sink.end(ANOTHER_CAME);
    if (this.#waiting.delete(before)) {
      this.#waiting.add(member);
      return;
    }
    this.#members.delete(before);
    this.#members.add(member);
    member.answered = before.answered;
    const had = this.#table.delete(before.stream);
    const changed = this.#table.set(member.stream, member.host) || had;
    if (!this.#round.isResting) {
      this.#stale ||= changed;
      member.tableVersion = this.#round.version;
      this.#round.catchUp(member);
    } else if (changed) {
      this.#begin();
    } else {
      this.#round.push(member);
    }
    this.#options.onMembership();
  }

  /** @param changed whether the table has changed already, and this is the idle time between rounds */
  #enter(member: Member, changed: boolean): void {
    if (this.#round.isResting && this.#mayEnter(member)) {
      this.#admit([member], changed);
      return;
    }
    this.#waiting.add(member);
    if (changed) {
      this.#begin();
    } else {
      this.#round.advance();
    }
  }

  /** Sidecars of Dapr's know no leases: where none of ours holds any, they need not wait. */
  #mayEnter({ peer }: Member): boolean {
    return !this.#settling.isOpen || (peer === undefined && !this.#settling.hasHolders);
  }

  #leaseOver(member: Member): void {
    const { logger, namespace } = this.#options;
    const { stream, host, sink } = member;
    logger.warn(`The lease of stream ${namespace}:${stream} has run out (app id ${host.id}, host ${host.name})`);
    this.close(member);
    sink.end(new GrpcError(GRPC_STATUS.UNAVAILABLE, "the sidecar's lease has run out"));
  }

  #register(member: Member, host: Host): void {
    member.host = host;
    if (this.#table.set(member.stream, host)) {
      this.#options.onMembership();
      if (this.#round.phase === "idle") {
        this.#begin();
      } else {
        // Also where the table of this round will have it: whoever reports other types expects a version of its own.
        this.#stale = true;
      }
    } else if (this.#round.phase === "idle" && member.tableVersion !== this.#round.version) {
      this.#round.push(member);
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
      this.#round.push(member);
    }
  }

  #begin(): void {
    this.#stale = false;
    this.#round.begin(this.#settling.version);
  }

  /** What has gathered during the round becomes one next round. */
  #takeChanges(): void {
    const changed = this.#dropGone() || this.#stale;
    this.#admit(this.#takeWaiting(), changed);
  }

  #takeChangesIfIdle(): void {
    if (this.#round.isResting) {
      this.#takeChanges();
    }
  }

  #takeWaiting(): readonly Member[] {
    const waiting = [...this.#waiting].filter((member) => this.#mayEnter(member));
    for (const member of waiting) {
      this.#waiting.delete(member);
    }
    return waiting;
  }

  #dropGone(): boolean {
    let changed = false;
    for (const stream of this.#gone) {
      changed = this.#table.delete(stream) || changed;
    }
    this.#gone.clear();
    return changed;
  }

  /** Those who have answered are not punished for the others, nor are those who wait. */
  #cutOff(laggards: readonly Member[]): void {
    const { logger, namespace } = this.#options;
    for (const member of laggards) {
      const { stream, host, sink, peer } = member;
      logger.warn(
        `Closing non-responding stream ${namespace}:${stream} (app id ${host.id}, host ${host.name}; ${this.#round.phase} not answered)`,
      );
      sink.end(this.#timeoutError());
      this.#table.delete(stream);
      if (peer === undefined) {
        this.#members.delete(member);
      } else {
        // It may still act for what it held, until its lease is over or it comes as a new one.
        peer.isCutOff = true;
        peer.sink = undefined;
        member.sink = sinkOf(undefined);
        this.#leases.limit(peer);
      }
    }
    this.#dropGone();
    this.#admit(this.#takeWaiting(), true);
    this.#options.onMembership();
  }

  #timeoutError(): GrpcError {
    return new GrpcError(
      GRPC_STATUS.DEADLINE_EXCEEDED,
      `dissemination timeout after ${formatGoDuration(this.#options.timeoutMs)} for version ${this.#round.version}`,
    );
  }
}
