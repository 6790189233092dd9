import type { ActorCall } from "../../src/app/actor-host.ts";
import type { AppChannel } from "../../src/app/types.ts";
import { addPeerActors } from "../../src/api/peer/actors.ts";
import { RunningActors } from "../../src/blocks/actors/running-actors.ts";
import type { HostedActors } from "../../src/blocks/actors/types.ts";
import { createJobsBlock, type JobsBlock } from "../../src/blocks/jobs/jobs-block.ts";
import { createJobTriggers, type JobTriggers } from "../../src/blocks/jobs/job-triggers.ts";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { KEEPALIVE } from "../../src/mesh/limits.ts";
import { openGrpcPlacement } from "../../src/mesh/grpc-placement.ts";
import { Mesh } from "../../src/mesh/mesh.ts";
import { PeerActors } from "../../src/mesh/peer-actors.ts";
import type { OpenPlacement } from "../../src/mesh/placement-stream.ts";
import { createGrpcClient } from "../../src/net/grpc/client.ts";
import { GrpcServer } from "../../src/net/grpc/server.ts";
import { createResiliency } from "../../src/resiliency/resiliency.ts";
import { Scheduler } from "../../src/scheduling/scheduler.ts";
import { ACTOR_TYPES, App } from "./app.ts";
import type { Cluster } from "./cluster.ts";
import type { Ledger } from "./ledger.ts";
import { loseTables } from "./lost-tables.ts";
import { PLACEMENT_PORT } from "./placement-node.ts";
import { SCHEDULER_ADDRESS } from "./scheduler-node.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";
import { SimulatedTransport } from "./simulated-transport.ts";

const IDENTITY = { appId: "app", namespace: "default" } as const;

/** Milliseconds of silence before a service is asked whether it is there, and for its answer, as in `src/sidecar/`. */

const DISSEMINATION_TIMEOUT_MS = 30_000;
/** Milliseconds that the calls under way of actors that move may take. */
const DRAIN_MS = 1_500;
/** Milliseconds without a call until an actor is deactivated; short, so that activations come and go. */
const IDLE_MS = 4_000;
const PIECE_BYTES = 64 * 1024;
/** How often the app stays when its sidecar ends, and the machine has not lost power. */
const OUTLIVING_ODDS = 0.5;
const FIRST_PORT = 50_002;

/** What runs in a sidecar while its process lives. */
interface Life {
  readonly process: SimulatedProcess;
  readonly transport: SimulatedTransport;
  readonly actors: RunningActors;
  readonly jobs: JobsBlock;
  readonly triggers: JobTriggers;
  readonly scheduler: Scheduler;
  readonly mesh: Mesh;
  readonly stopListening: () => Promise<void>;
}

/** A sidecar with its app: the real actor runtime, the real clients of placement, scheduler and peers. */
export class HostNode {
  readonly machine: Machine;
  readonly #cluster: Cluster;
  #life: Life | undefined;
  #lives = 0;
  #app: App | undefined;

  constructor(machine: Machine, cluster: Cluster) {
    this.machine = machine;
    this.#cluster = cluster;
  }

  /** Of its present life. */
  get address(): string {
    return `${this.machine.name}:${FIRST_PORT + (this.#cluster.movesHosts ? this.#lives : 0)}`;
  }

  /** Undefined while the process is not running. */
  get life(): Life | undefined {
    return this.#life?.process.isAlive === true ? this.#life : undefined;
  }

  start(): void {
    void this.#start().catch((error: unknown) => this.#cluster.broken(`${this.machine.name} does not start`, error));
  }

  kill(): void {
    this.#life?.process.kill();
    if (!this.machine.isUp) {
      this.#app = undefined;
    }
  }

  /** Ends it as SIGTERM does. */
  async stop(): Promise<void> {
    const life = this.life;
    if (life === undefined) {
      return;
    }
    await life.triggers.stop();
    await life.actors.close();
    await life.stopListening();
    await life.scheduler.close();
    await life.mesh.close();
    const { process, transport } = life;
    if (process.isAlive) {
      this.#cluster.ended(process, transport);
      process.kill();
    }
  }

  async #start(): Promise<void> {
    const { world, network, ports, ledger, store, random } = this.#cluster;
    const process = this.machine.start();
    this.#lives += 1;
    const { app, isOlder } = this.#appBeside(process, ledger);
    app.isQuick = () => this.#cluster.isPeace;
    app.onLongTurn = (actor, ms) => this.#cluster.busy(actor, ms);
    const transport = new SimulatedTransport(world, network, ports, process);
    const { clock } = process;
    const logger = this.#cluster.loggerOf(process);
    const resiliency = await createResiliency({ documents: [], clock, random: process.random, logger });
    const common = { ...IDENTITY, clock, random: process.random, logger };
    const scheduler = new Scheduler({
      ...common,
      addresses: [SCHEDULER_ADDRESS],
      streamsPerHost: random.whole(1, 2),
      connect: (address) => createGrpcClient(transport, address, { transport: KEEPALIVE }),
      onFound: () => undefined,
    });
    const mesh = new Mesh({
      ...common,
      hostAddress: this.machine.name,
      hostName: "",
      resolver: () => undefined,
      connect: (address) => createGrpcClient(transport, address, { transport: KEEPALIVE }),
      pieceBytes: PIECE_BYTES,
      resiliency,
    });
    const actors = new RunningActors({
      ...common,
      ownAddress: this.address,
      placementAddresses: this.#cluster.placement.map(({ machine }) => `${machine.name}:${PLACEMENT_PORT}`),
      disseminationTimeoutMs: DISSEMINATION_TIMEOUT_MS,
      openPlacement: this.#openPlacement(transport),
      remote: new PeerActors(mesh, IDENTITY.namespace),
      scheduler,
      stores: store.viewFrom(process),
      ttlEnabled: false,
      resiliency,
      health: { ready: () => undefined, notReady: () => undefined },
    });
    app.actors = actors;
    const server = new GrpcServer();
    addPeerActors(server, actors);
    const stopListening = transport.listen(this.address, server.accept);
    const jobs = createJobsBlock({ ...IDENTITY, scheduler, logger });
    const triggers = createJobTriggers({ source: scheduler, clock, logger });
    this.#life = { process, transport, actors, jobs, triggers, scheduler, mesh, stopListening };
    scheduler.start();
    actors.start();
    // An app on a stream cannot be known to be new.
    const mayRemember = (isOlder || app.knowsEnds) && this.#cluster.plant !== "app taken for new";
    actors.register({ ...hostedBy(app, random), mayRemember });
    await triggers.start(channelOf(app));
  }

  /** The app of before, where it has outlived its sidecar, or a new one. */
  #appBeside(process: SimulatedProcess, ledger: Ledger): { readonly app: App; readonly isOlder: boolean } {
    const life = `${this.machine.name}.${this.#lives}`;
    const before = this.#cluster.outliving.chance(OUTLIVING_ODDS) ? this.#app : undefined;
    before?.outlive(process, life);
    this.#app = before ?? new App(process, ledger, life);
    return { app: this.#app, isOlder: before !== undefined };
  }

  #openPlacement(transport: SimulatedTransport): OpenPlacement {
    const open: OpenPlacement = (address) =>
      openGrpcPlacement(createGrpcClient(transport, address, { transport: KEEPALIVE }), IDENTITY);
    return this.#cluster.plant === "lost table" ? loseTables(open, this.#cluster.random) : open;
  }
}

/** A call of an actor's method as a door makes it. */
export function counterCall(actor: { readonly type: string; readonly id: string }, op: string): ActorCall {
  return {
    ...actor,
    method: "add",
    verb: "PUT",
    query: "",
    headers: [],
    contentType: "text/plain",
    body: Buffer.from(op),
  };
}

function hostedBy(app: App, random: SeededRandom): HostedActors {
  const reentrancy = { enabled: random.chance(0.3), stackDepthMax: 32 };
  const settings = { idleMs: IDLE_MS, reentrancy, drainMs: undefined };
  const types = new Map(ACTOR_TYPES.map((type) => [type, settings]));
  return { types, drainMs: DRAIN_MS, drainRebalanced: random.chance(0.8), host: app };
}

function channelOf(app: App): AppChannel {
  const channel: Pick<AppChannel, "triggerJob"> = {
    async triggerJob({ data }) {
      try {
        await app.trigger(data?.value ?? new Uint8Array());
        return GRPC_STATUS.OK;
      } catch {
        return GRPC_STATUS.INTERNAL;
      }
    },
  };
  return channel as AppChannel;
}
