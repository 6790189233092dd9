import { OwnershipGate, type Claim } from "../../blocks/actors/ownership-gate.ts";
import { OwnershipLease } from "../../blocks/actors/ownership-lease.ts";
import { PlacementClient } from "../../blocks/actors/placement-client.ts";
import { PlacementMap } from "../../blocks/actors/placement-map.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import { seededRandom } from "../../kit/seeded-random.fixture.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { hostMessage } from "../../mesh/placement-host.ts";
import type { PlacementOrder, PlacementReport, PlacementStream } from "../../mesh/placement-stream.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { PlacementService } from "./placement-service.ts";
import type { PeerOrder, PeerStream } from "./types.ts";

const STEP_MS = 50;
const TYPE = "cat";
const DRAIN_MS = 500;
/** Turns take up to twice the drain. */
const TURN_MS_MAX = 2 * DRAIN_MS;
const REPLICATION_FACTOR = 20;

/** A process: its timers and what comes to it wait while it is stopped. */
interface Process {
  readonly clock: VirtualClock;
  stopped: boolean;
  alive: boolean;
}

interface Host extends Process {
  readonly id: string;
  readonly lease: OwnershipLease;
  readonly gate: OwnershipGate;
  readonly map: PlacementMap;
  readonly client: PlacementClient;
  /** Turns that run, by actor. */
  readonly turns: Map<string, Claim>;
  link: Link | undefined;
}

/** Sidecars with the real client, lease, gate and map, and the real service, over links that delay and break, in virtual time. */
export class Cluster {
  readonly actors = Array.from({ length: 12 }, (_, id) => String(id));
  readonly hosts: Host[] = [];
  /** Calls that waited although their actor stayed where it was. */
  unmovedWaits = 0;
  turns = 0;
  readonly #random: Pick<Random, "next">;
  #service: { readonly process: Process; readonly value: PlacementService };
  #wire: { atMs: number; readonly to: () => Process; readonly deliver: () => void }[] = [];
  #nowMs = 0;
  #names = 0;

  constructor(seed: number) {
    this.#random = { next: seededRandom(seed) };
    this.#service = this.#newService();
  }

  get service(): Process {
    return this.#service.process;
  }

  join(): void {
    const id = `h${this.#names++}`;
    const process = this.#process();
    const clock = this.#clockOf(process);
    const lease = new OwnershipLease(clock);
    const map = new PlacementMap();
    const turns = new Map<string, Claim>();
    const gate = new OwnershipGate({
      ownAddress: id,
      map,
      lease,
      onWaited: (_, moved) => (this.unmovedWaits += moved ? 0 : 1),
      clock,
    });
    const drain = (all: boolean): Promise<void> =>
      gate.drain(
        { enabled: true, timeoutMs: () => DRAIN_MS, onTimeout: () => undefined, deactivate: () => undefined },
        all,
      );
    const client = new PlacementClient({
      appId: id,
      namespace: "default",
      ownAddress: id,
      addresses: ["placement"],
      disseminationTimeoutMs: 30_000,
      open: () => this.#open(host),
      follower: {
        tablesChanged: async (tables) => {
          map.update(tables);
          gate.open();
          await drain(false);
        },
        tablesAgreed: () => {
          map.agree();
          gate.agreed();
        },
        leaseHeld: () => gate.leased(),
        ownershipLost: async () => gate.disown(),
        connectionLost: async () => {
          gate.close();
          await drain(true);
        },
        knownHosts: () => map.knownAddresses,
      },
      lease,
      clock,
      random: { ...this.#random, uuid: () => `${id}-${this.#names++}`, bytes: (length) => new Uint8Array(length) },
      logger: silentLogger,
    });
    const host: Host = Object.assign(process, { id, lease, gate, map, client, turns, link: undefined });
    this.hosts.push(host);
    client.report([TYPE]);
    client.start();
  }

  kill(host: Host | undefined): void {
    if (host !== undefined) {
      host.alive = false;
      this.hosts.splice(this.hosts.indexOf(host), 1);
      host.link?.breakUp();
    }
  }

  /** All streams end, what the service knew is lost. */
  restartService(): void {
    this.#service.process.alive = false;
    for (const { link } of this.hosts) {
      link?.breakUp();
    }
    this.#service = this.#newService();
    this.#service.value.lead();
  }

  breakLink(host: Host | undefined): void {
    host?.link?.breakUp();
  }

  heal(): void {
    this.#service.process.stopped = false;
    for (const host of this.hosts) {
      host.stopped = false;
    }
  }

  /** A call of an actor at a host; its turn runs for a while if that host owns the actor. */
  call(host: Host | undefined, actor: string): void {
    if (host === undefined || host.stopped) {
      return;
    }
    const granted = host.gate.claim({ type: TYPE, id: actor }, undefined);
    const run = (claim: Claim): void => {
      if (claim.owner?.address !== host.id || host.turns.has(actor) || !host.gate.mayAct) {
        claim.release();
        return;
      }
      this.turns += 1;
      host.turns.set(actor, claim);
      const end = (): void => {
        host.turns.delete(actor);
        claim.release();
      };
      claim.addEventListener("abort", end);
      host.clock.after(this.#random.next() * TURN_MS_MAX, end);
    };
    if (granted instanceof Promise) {
      granted.then(run, () => undefined);
    } else {
      run(granted);
    }
  }

  /** Hosts that believe that an actor is theirs, or in which a turn of it runs, while they hold a lease. */
  ownersOf(actor: string): string[] {
    return this.hosts
      .filter(({ id, gate, lease, map, turns }) => {
        const owns = gate.mayAct && map.ownerOf(TYPE, actor)?.address === id && !map.moves(TYPE, actor);
        return lease.holds() && (owns || turns.has(actor));
      })
      .map(({ id }) => id);
  }

  /** Lets time pass; `check` runs at every step. */
  async run(durationMs: number, check: () => void): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    while (this.#nowMs < endMs) {
      this.#nowMs += STEP_MS;
      for (const { clock, stopped } of [this.#service.process, ...this.hosts]) {
        if (!stopped) {
          clock.advance(this.#nowMs - clock.now());
        }
      }
      const due = this.#wire.filter(({ atMs, to }) => atMs <= this.#nowMs && !to().stopped);
      this.#wire = this.#wire.filter((one) => !due.includes(one));
      for (const { to, deliver } of due) {
        if (to().alive) {
          deliver();
        }
      }
      await new Promise(setImmediate);
      check();
    }
  }

  post(to: () => Process, delayMs: number, deliver: () => void): number {
    const atMs = this.#nowMs + delayMs;
    this.#wire.push({ atMs, to, deliver });
    return atMs;
  }

  delayMs(): number {
    return this.#random.next() < 0.95 ? this.#random.next() * STEP_MS : this.#random.next() * 1_500;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  #open(host: Host): PlacementStream {
    const link = new Link(this, host, this.#service.process, this.#service.value);
    host.link = link;
    return link;
  }

  #newService(): { readonly process: Process; readonly value: PlacementService } {
    const process = this.#process();
    const value = new PlacementService({
      replicationFactor: REPLICATION_FACTOR,
      disseminateTimeoutMs: 8_000,
      coalesceWindowMs: 0,
      clock: this.#clockOf(process),
      logger: silentLogger,
    });
    return { process, value };
  }

  #process(): Process {
    return { clock: new VirtualClock(this.#nowMs), stopped: false, alive: true };
  }

  #clockOf({ clock }: Process): Clock {
    const now = (): number => this.#nowMs;
    return {
      now,
      monotonicMs: now,
      after: (delayMs, action) => clock.after(delayMs, action),
      every: (periodMs, action) => clock.every(periodMs, action),
    };
  }
}

/** One stream: in order in each direction, each end hears at its own time that it is over. */
class Link implements PlacementStream {
  readonly orders: AsyncIterable<PlacementOrder>;
  readonly #cluster: Cluster;
  readonly #host: Process & { readonly id: string };
  readonly #server: Process;
  readonly #service: PlacementService;
  #stream: PeerStream | undefined;
  #isBroken = false;
  #lastUpMs = 0;
  #lastDownMs = 0;
  readonly #waiting: PlacementOrder[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake = (): void => undefined;

  constructor(cluster: Cluster, host: Process & { readonly id: string }, server: Process, service: PlacementService) {
    this.#cluster = cluster;
    this.#host = host;
    this.#server = server;
    this.#service = service;
    this.orders = this.#read();
    if (!server.alive) {
      this.breakUp();
    }
  }

  send(report: PlacementReport): void {
    this.#up(() => this.#hear(report));
  }

  close(): void {
    this.#finish(undefined);
    this.#up(() => this.#stream?.lost());
    this.#isBroken = true;
  }

  breakUp(): void {
    if (this.#isBroken) {
      return;
    }
    this.#up(() => this.#stream?.lost());
    this.#down(() => this.#finish(new GrpcError(GRPC_STATUS.UNAVAILABLE, "the connection was lost")));
    this.#isBroken = true;
  }

  #hear(report: PlacementReport): void {
    const identity = { appId: this.#host.id, namespace: "default" };
    if (report.kind === "report") {
      const host = hostMessage(report, identity);
      if (this.#stream !== undefined) {
        this.#stream.report(host, report.askedMs);
        return;
      }
      const { incarnation, askedMs, held } = report;
      const tables = held === undefined ? undefined : { version: Number(held.version), hosts: held.hosts };
      try {
        this.#stream = this.#service.openPeer(
          { host, incarnation, askedMs, held: tables },
          {
            send: (order) => this.#down(() => this.#tell(order)),
            end: (error) => this.#down(() => this.#finish(error)),
          },
        );
      } catch (error) {
        this.#down(() => this.#finish(error as Error));
      }
    } else if (report.kind === "update") {
      this.#stream?.applied(Number(report.version));
    } else if (report.kind === "lease") {
      this.#stream?.askLease(report.askedMs);
    }
  }

  #tell(order: PeerOrder): void {
    switch (order.kind) {
      case "welcome":
        this.#push({ operation: "welcome", leaseMs: order.leaseMs, resumed: order.resumed });
        this.#push({ operation: "lease", askedMs: order.askedMs });
        return;
      case "lease":
        this.#push({ operation: "lease", askedMs: order.askedMs });
        return;
      case "agreed":
        this.#push({ operation: "unlock", version: BigInt(order.version) });
        return;
      case "table": {
        const { version, entries, replicationFactor } = order.tables;
        const types = new Map(
          [...entries].map(([type, hosts]) => [
            type,
            [...hosts.keys()].map((address) => ({ address, appId: address })),
          ]),
        );
        this.#push({ operation: "update", version: BigInt(version), tables: { types, replicationFactor } });
      }
    }
  }

  #up(deliver: () => void): void {
    if (!this.#isBroken) {
      const delayMs = Math.max(this.#cluster.delayMs(), this.#lastUpMs - this.#cluster.nowMs);
      this.#lastUpMs = this.#cluster.post(() => this.#server, delayMs, deliver);
    }
  }

  #down(deliver: () => void): void {
    if (!this.#isBroken) {
      const delayMs = Math.max(this.#cluster.delayMs(), this.#lastDownMs - this.#cluster.nowMs);
      this.#lastDownMs = this.#cluster.post(() => this.#host, delayMs, deliver);
    }
  }

  #push(order: PlacementOrder): void {
    this.#waiting.push(order);
    this.#wake();
  }

  #finish(error: Error | undefined): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake();
  }

  async *#read(): AsyncGenerator<PlacementOrder> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
      } else if (this.#end === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if (this.#end.error !== undefined) {
        throw this.#end.error;
      } else {
        return;
      }
    }
  }
}
