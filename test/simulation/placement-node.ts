import { Election } from "../../src/control-plane/placement/election.ts";
import { PROBE_TIMEOUT_MS } from "../../src/control-plane/placement/limits.ts";
import { createPlacementServer } from "../../src/control-plane/placement/placement-door.ts";
import { PlacementService } from "../../src/control-plane/placement/placement-service.ts";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import type { Cluster } from "./cluster.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";
import { SimulatedTransport } from "./simulated-transport.ts";

export const PLACEMENT_PORT = 50_005;

const KEEPALIVE = { keepaliveMs: 2_000, keepaliveTimeoutMs: 3_000 } as const;
const REPLICATION_FACTOR = 100;
const DISSEMINATE_TIMEOUT_MS = 8_000;
/** Milliseconds that a member may take to answer another, as in `members.ts`. */
const ASK_TIMEOUT_MS = 800;
/** How much faster the clock of the planted bug is. */
const FAST = 3;

interface Life {
  readonly process: SimulatedProcess;
  readonly transport: SimulatedTransport;
  readonly election: Election;
  readonly service: PlacementService;
  readonly stopListening: () => Promise<void>;
}

/** A member of the placement service: the real election, rounds and door. */
export class PlacementNode {
  readonly machine: Machine;
  readonly #cluster: Cluster;
  #life: Life | undefined;
  #isStopping = false;

  constructor(machine: Machine, cluster: Cluster) {
    this.machine = machine;
    this.#cluster = cluster;
  }

  get leads(): boolean {
    const life = this.#life;
    return life?.process.isAlive === true && life.election.leads;
  }

  /** Addresses of hosts with actors, as this member has them. */
  hosts(): readonly string[] {
    const states = this.#life?.service.state().values() ?? [];
    return [...states].flatMap(({ hosts }) => hosts.map(({ name }) => name));
  }

  start(): void {
    const { world, network, ports, plant } = this.#cluster;
    const process = this.machine.start();
    const { clock, random } = process;
    const logger = this.#cluster.loggerOf(process);
    const transport = new SimulatedTransport(world, network, ports, process);
    const service = new PlacementService({
      replicationFactor: REPLICATION_FACTOR,
      disseminateTimeoutMs: DISSEMINATE_TIMEOUT_MS,
      coalesceWindowMs: random.chance(0.5) ? 0 : 200,
      clock: plant === "early lease" ? fast(clock) : clock,
      logger,
      probe: (address) => transport.probe(address, PROBE_TIMEOUT_MS),
    });
    const members = this.#cluster.placement.map(({ machine }) => machine.name);
    const election = new Election({
      id: process.name,
      members: plant === "two leaders" ? [process.name] : members,
      ask: (member, request) => {
        const other = this.#cluster.placement.find(({ machine }) => machine.name === member);
        if (other === undefined) {
          throw new Error(`there is no member ${member}`);
        }
        return network.ask(process, other.machine, "vote", ASK_TIMEOUT_MS, () => other.vote(request));
      },
      onChange: (leads) => {
        world.note(`${process.name} leads${leads ? "" : " no longer"}`);
        if (leads) {
          service.lead();
        } else {
          service.endAll(notLeader(process.name));
        }
      },
      clock,
      random,
      logger,
    });
    const refusal = (): GrpcError | undefined =>
      election.leads && !this.#isStopping ? undefined : notLeader(process.name);
    const server = createPlacementServer({ service, refusal, logger });
    const stopListening = transport.listen(`${process.name}:${PLACEMENT_PORT}`, server.accept, KEEPALIVE);
    this.#life = { process, transport, election, service, stopListening };
    election.start();
  }

  vote(request: Parameters<Election["vote"]>[0]): ReturnType<Election["vote"]> {
    if (this.#life === undefined) {
      throw new Error("the member has not been started");
    }
    return this.#life.election.vote(request);
  }

  kill(): void {
    this.#life?.process.kill();
  }

  /** Ends it as SIGTERM does. @returns hosts that are still in its tables */
  async stop(): Promise<readonly string[]> {
    const life = this.#life;
    if (life === undefined) {
      return [];
    }
    const left = this.hosts();
    this.#isStopping = true;
    life.service.endAll(new GrpcError(GRPC_STATUS.UNAVAILABLE, "placement server is shutting down"));
    await life.election.stop();
    await life.stopListening();
    this.#cluster.ended(life.process, life.transport);
    life.process.kill();
    return left;
  }
}

function notLeader(id: string): GrpcError {
  return new GrpcError(
    GRPC_STATUS.FAILED_PRECONDITION,
    `node id=${id} is not a leader. Only the leader can serve requests`,
  );
}

function fast(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs() * FAST,
    after: (delayMs, action) => clock.after(delayMs / FAST, action),
    every: (periodMs, action) => clock.every(periodMs / FAST, action),
  };
}
