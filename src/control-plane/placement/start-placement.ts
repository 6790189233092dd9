import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { type Clock, sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { GrpcServer } from "../../net/grpc/server.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { ListenError } from "../../net/http/errors.ts";
import { type Listener, listen, type MutualTls } from "../../net/http/listener.ts";
import type { WorkloadIdentity } from "../../security/identity.ts";
import { controlPlanePeer } from "../../security/peer-options.ts";
import { PlacementMetrics } from "../../telemetry/metrics/placement-metrics.ts";
import { listenAddress } from "../shared/listen-address.ts";
import { openRoleIdentity, type RoleTls } from "../shared/role-identity.ts";
import { createRoleFailure } from "../shared/role-failure.ts";
import type { RoleContext, RoleService, StartRole } from "../shared/types.ts";
import { Election } from "./election.ts";
import { probeHost } from "./host-probe.ts";
import { CLOSE_GRACE_MS, RESOLVE_ATTEMPTS_MAX, RESOLVE_RETRY_MS } from "./limits.ts";
import { type ClusterMember, createMemberServer, MemberClients } from "./members.ts";
import { createPlacementServer } from "./placement-door.ts";
import { PlacementService } from "./placement-service.ts";
import { tablesPage } from "./tables-page.ts";

/** Placement's own flags. */
export interface PlacementOptions {
  /** One of the members. */
  readonly id: string;
  /** Undefined: sidecars and members connect in plain text. */
  readonly tls?: RoleTls | undefined;
  readonly members: readonly ClusterMember[];
  readonly port: number;
  readonly listenAddress: string;
  readonly metadataEnabled: boolean;
  readonly replicationFactor: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly disseminateTimeoutMs: number;
  readonly coalesceWindowMs: number;
}

/** The placement role: its port for sidecars, and its address for the other members. */
export function startPlacement(options: PlacementOptions): StartRole {
  return async (context) => {
    const identity = await openRoleIdentity(options.tls, "dapr-placement", context);
    const server = new PlacementServer(options, context, identity);
    try {
      await server.start();
    } catch (error) {
      identity?.close();
      throw error;
    }
    return server;
  };
}

class PlacementServer implements RoleService {
  readonly #failure = createRoleFailure();
  readonly failed = this.#failure.failed;
  readonly #options: PlacementOptions;
  readonly #context: RoleContext;
  readonly #identity: WorkloadIdentity | undefined;
  readonly #metrics: PlacementMetrics;
  readonly #service: PlacementService;
  readonly #clients: MemberClients;
  readonly #election: Election;
  readonly #open: { readonly server: GrpcServer; readonly listener: Listener }[] = [];
  readonly #stopping = new AbortController();

  constructor(options: PlacementOptions, context: RoleContext, identity: WorkloadIdentity | undefined) {
    const { clock, random, metrics, transport, tracer } = context;
    const logger = context.logger.scope("dapr.placement.server");
    this.#options = options;
    this.#context = context;
    this.#identity = identity;
    this.#metrics = new PlacementMetrics(metrics);
    this.#metrics.recordLeader(false);
    this.#service = new PlacementService({
      replicationFactor: options.replicationFactor,
      disseminateTimeoutMs: options.disseminateTimeoutMs,
      coalesceWindowMs: options.coalesceWindowMs,
      clock,
      logger,
      metrics: this.#metrics,
      tracer,
      probe: probeHost,
    });
    this.#clients = new MemberClients(
      transport,
      options.members.filter(({ id }) => id !== options.id),
      identity,
    );
    this.#election = new Election({
      id: options.id,
      members: options.members.map(({ id }) => id),
      ask: (member, request) => this.#clients.ask(member, request),
      onChange: (leads) => this.#onLeadership(leads),
      clock,
      random,
      logger: context.logger.scope("dapr.placement.leadership"),
    });
  }

  async start(): Promise<void> {
    const { port, members, id, metadataEnabled } = this.#options;
    const logger = this.#context.logger.scope("dapr.placement.server");
    const own = members.find((member) => member.id === id);
    if (own === undefined) {
      const known = members.map((member) => `{${member.id} ${member.address}}`).join(" ");
      throw new Error(`address for node ${id} not found in raft peers [${known}]`);
    }
    const grpcTarget = this.#context.addHealthTarget("placement-grpc-server");
    const electionTarget = this.#context.addHealthTarget("placement-raft-leadership");
    if (metadataEnabled) {
      this.#context.addHealthPage("/placement/state", () =>
        this.#election.leads ? tablesPage(this.#service.state()) : "null",
      );
    }
    logger.info("Placement service is starting...");
    const door = createPlacementServer({
      service: this.#service,
      refusal: () => this.#refusal(),
      logger,
    });
    const listener = await this.#listen(
      listenAddress(this.#options.listenAddress, port),
      door,
      this.#identity?.serverTls(),
    );
    logger.info(`Placement service started on port ${listener.port}`);
    logger.info(`Running Placement gRPC server on ${listener.address}`);
    grpcTarget.ready();

    // The own name may become known only after the pod is ready, so the start does not wait for it.
    void this.#joinCluster(own).then(
      () => electionTarget.ready(),
      (error: unknown) => this.#failure.fail(error),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the placement service stops"));
    this.#service.endAll(shuttingDown());
    await this.#election.stop();
    await Promise.all(
      this.#open.map(async ({ server, listener }) => {
        await server.close(CLOSE_GRACE_MS);
        await listener.close(CLOSE_GRACE_MS);
      }),
    );
    await this.#clients.close();
    this.#identity?.close();
    this.#context.logger.scope("dapr.placement.server").info("Placement GRPC server stopped");
  }

  /** Opens the own address of `--initial-cluster`, which also a single member does, and takes part in the election. */
  async #joinCluster({ address }: ClusterMember): Promise<void> {
    const { clock, logger } = this.#context;
    const colon = address.lastIndexOf(":");
    const bind = listenAddress(address.slice(0, colon), Number(address.slice(colon + 1)));
    const server = createMemberServer((request) => this.#election.vote(request));
    const identity = this.#identity;
    // Whoever could vote could keep the members from ever having a leader.
    const mutualTls = identity?.serverTls(controlPlanePeer(identity, "dapr-placement"));
    await whenResolved(clock, this.#stopping.signal, () => this.#listen(bind, server, mutualTls));
    if (this.#stopping.signal.aborted) {
      return;
    }
    logger.scope("dapr.placement.server").info(`Node id=${this.#options.id} is waiting for leadership`);
    this.#election.start();
  }

  async #listen(
    address: ReturnType<typeof listenAddress>,
    server: GrpcServer,
    mutualTls: MutualTls | undefined,
  ): Promise<Listener> {
    const { keepaliveMs, keepaliveTimeoutMs } = this.#options;
    const h2 = this.#context.transport.createServer(server.accept, { keepaliveMs, keepaliveTimeoutMs });
    const listener = await listen(address, { h2, mutualTls });
    this.#open.push({ server, listener });
    return listener;
  }

  #onLeadership(leads: boolean): void {
    this.#metrics.recordLeader(leads);
    const logger = this.#context.logger.scope("dapr.placement.server");
    if (leads) {
      this.#service.lead();
      logger.info(`Node id=${this.#options.id} has acquired leadership`);
    } else {
      logger.info(`Node id=${this.#options.id} leads no longer`);
      this.#service.endAll(this.#notLeader());
    }
  }

  #refusal(): GrpcError | undefined {
    if (this.#stopping.signal.aborted) {
      return shuttingDown();
    }
    return this.#election.leads ? undefined : this.#notLeader();
  }

  /** Sidecars take it as a reason to try the next address, and know it by its words. */
  #notLeader(): GrpcError {
    return new GrpcError(
      GRPC_STATUS.FAILED_PRECONDITION,
      `node id=${this.#options.id} is not a leader. Only the leader can serve requests`,
    );
  }
}

function shuttingDown(): GrpcError {
  return new GrpcError(GRPC_STATUS.UNAVAILABLE, "placement server is shutting down");
}

/** Tries again while the name to listen on is unknown. */
async function whenResolved(clock: Clock, signal: AbortSignal, open: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await open();
      return;
    } catch (error) {
      const unknown = error instanceof ListenError && (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN");
      if (!unknown || attempt === RESOLVE_ATTEMPTS_MAX) {
        throw new Error(`failed to create raft listener: ${errorMessage(error)}`, { cause: error });
      }
      await sleep(clock, RESOLVE_RETRY_MS, signal).catch(() => undefined);
      if (signal.aborted) {
        return;
      }
    }
  }
}
