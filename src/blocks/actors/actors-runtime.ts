import type { StateStore } from "../../components/spi/state.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { ComponentView } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import type { OpenPlacement, PlacementTables } from "../../mesh/placement-stream.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { Resiliency } from "../../resiliency/types.ts";
import type { HealthTarget } from "../control/health.ts";
import { ActiveActors } from "./active-actors.ts";
import { ActorReminders, type ReminderScheduler } from "./actor-reminders.ts";
import { ActorRouter, type RemoteActors } from "./actor-router.ts";
import { ActorState } from "./actor-state.ts";
import { ActorTimers } from "./actor-timers.ts";
import type { ActorsStatus } from "./actors-block.ts";
import { DRAIN_MS_DEFAULT, LAST_DEACTIVATION_WAIT_MS } from "./limits.ts";
import { OwnershipGate } from "./ownership-gate.ts";
import { OwnershipLease } from "./ownership-lease.ts";
import { PlacementClient } from "./placement-client.ts";
import { PlacementMap } from "./placement-map.ts";
import type { PlacementFollower } from "./placement-rounds.ts";
import type { ActorObserver, HostedActors } from "./types.ts";

export interface ActorsOptions {
  readonly appId: string;
  readonly namespace: string;
  /** Where other sidecars reach this one, `host:port`. */
  readonly ownAddress: string;
  readonly placementAddresses: readonly string[];
  readonly disseminationTimeoutMs: number;
  readonly openPlacement: OpenPlacement;
  readonly remote: RemoteActors;
  /** Undefined: there are no reminders. */
  readonly scheduler: ReminderScheduler | undefined;
  readonly stores: ComponentView<StateStore>;
  /** Feature `ActorStateTTL`. */
  readonly ttlEnabled: boolean;
  readonly resiliency: Resiliency;
  /** Ready after the first tables that all sidecars have. */
  readonly health: HealthTarget;
  readonly observer?: ActorObserver | undefined;
  /** Absent: timers and reminders have no spans. */
  readonly tracer?: Tracer | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Dapr's lines for what becomes of the store of actors' state. */
const STORE_CHANGE_TEXTS = {
  added: (name: string) => `Actor state store ${name} configured - enabling actor hosting`,
  updated: (name: string) => `Actor state store ${name} updated - actor hosting continues`,
  removed: () => "Actor state store removed or replaced - draining hosted actors",
} as const;

/** The parts of the actor runtime, and how they follow the app, the state store and the placement service. */
export class ActorsRuntime implements PlacementFollower {
  readonly state: ActorState;
  readonly timers: ActorTimers;
  readonly reminders: ActorReminders;
  readonly #options: ActorsOptions;
  readonly #logger: Logger;
  readonly #gate: OwnershipGate;
  readonly #lease: OwnershipLease;
  readonly #map = new PlacementMap();
  readonly #active: ActiveActors;
  #router: ActorRouter | undefined;
  #placement: PlacementClient | undefined;
  #hosted: HostedActors | undefined;
  #isRegistered = false;
  #isClosed = false;

  constructor(options: ActorsOptions) {
    const { clock, logger, observer } = options;
    this.#options = options;
    this.#logger = logger.scope("dapr.runtime.actor");
    this.#lease = new OwnershipLease(clock);
    this.#gate = new OwnershipGate({
      ownAddress: options.ownAddress,
      map: this.#map,
      lease: this.#lease,
      onWaited: observer === undefined ? undefined : (type, moved) => observer.membershipWaited(type, moved),
      clock,
    });
    this.#active = new ActiveActors({
      observer,
      mayBeWritten: (actor) => this.state.mayBeWritten(actor),
      clock,
      logger,
    });
    this.#active.suspended = true;
    this.state = new ActorState({
      ...options,
      policies: options.resiliency,
      active: this.#active,
      gate: this.#gate,
      lease: this.#lease,
      onStoreChange: (change, name) => this.#storeChanged(change, name),
    });
    this.timers = new ActorTimers({
      active: this.#active,
      fire: (tick) => this.serving().router.fire(tick, false),
      observer,
      clock,
      logger,
    });
    this.reminders = new ActorReminders({
      scheduler: options.scheduler,
      active: this.#active,
      fire: (tick) => this.serving().router.fire(tick, false),
      observer,
      logger,
    });
  }

  /** @throws ApiError ERR_ACTOR_RUNTIME_CLOSED before the start and after the end */
  serving(): { readonly router: ActorRouter } {
    if (this.#router === undefined || this.#isClosed) {
      throw apiError(actorErrors.closed, {});
    }
    return { router: this.#router };
  }

  start(): void {
    const { conflict } = this.state;
    if (conflict !== undefined) {
      throw new Error(conflict);
    }
    const { openPlacement, placementAddresses, observer } = this.#options;
    this.#router = new ActorRouter({
      ...this.#options,
      gate: this.#gate,
      active: this.#active,
    });
    this.#placement = new PlacementClient({
      ...this.#options,
      addresses: placementAddresses,
      open: openPlacement,
      follower: this,
      lease: this.#lease,
      onReport: () => observer?.statusReported(),
      onReportFailed: (reason) => observer?.statusReportFailed(reason),
      onOrder: (operation) => observer?.orderReceived(operation),
    });
    if (!this.state.isAvailable) {
      this.#logger.info(
        "Actor state store not configured - actor hosting disabled until one is configured, but invocation enabled",
      );
      this.#placement.start();
    }
    this.#logger.info("Actor runtime started");
    // An app may have told over a stream what it hosts, before this.
    if (this.#isRegistered) {
      this.#report();
      this.#placement.start();
    }
  }

  /** With a state store the placement service hears of this sidecar when its app is known, and not twice. */
  register(hosted: HostedActors | undefined): void {
    if (this.#isClosed) {
      return;
    }
    this.#isRegistered = true;
    if (hosted !== undefined && hosted.types.size > 0) {
      this.#hosted = hosted;
      this.#logger.info(`Registering hosted actors: [${[...hosted.types.keys()].join(" ")}]`);
      this.#active.register(hosted);
    }
    this.#report();
    this.#placement?.start();
  }

  async unregister(hosted: HostedActors): Promise<void> {
    if (this.#hosted !== hosted) {
      return;
    }
    this.#isRegistered = false;
    this.#hosted = undefined;
    const halted = this.#active.unregister();
    this.#report();
    await halted;
  }

  status(): ActorsStatus {
    if (!this.#isRegistered) {
      return { status: "INITIALIZING", active: [], hostReady: false, placement: "" };
    }
    const connected = this.#placement?.isReady === true;
    return {
      status: "RUNNING",
      active: this.#active.counts(),
      hostReady: connected,
      placement: connected ? "placement: connected" : "placement: disconnected",
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    this.timers.close();
    this.#serveReminders();
    this.#gate.end(apiError(actorErrors.closed, {}));
    await this.#drain(true);
    await this.#haltForGood();
    this.#active.close();
    await this.#placement?.close();
  }

  async #haltForGood(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(LAST_DEACTIVATION_WAIT_MS, late.resolve);
    await Promise.race([this.#active.halt(() => false), late.promise]);
    timer.cancel();
  }

  async tablesChanged(tables: PlacementTables): Promise<void> {
    const { ownAddress, remote } = this.#options;
    for (const address of [...this.#map.update(tables), ...(tables.renewed ?? [])]) {
      remote.forget(address);
    }
    this.#gate.open();
    this.#gate.cutOff(({ address, appId }) =>
      this.#map.hasHost(address)
        ? undefined
        : new GrpcError(
            GRPC_STATUS.UNAVAILABLE,
            `the sidecar ${address} of app ${appId} has left the placement tables; it is not known whether it has carried the call out`,
          ),
    );
    await this.#drain(false);
    await this.#active.halt(({ type, id }) => this.#map.ownerOf(type, id)?.address === ownAddress);
  }

  tablesAgreed(): void {
    this.#map.agree();
    this.#gate.agreed();
    this.#options.health.ready();
    this.#serveReminders();
  }

  leaseHeld(): void {
    this.#gate.leased();
  }

  async ownershipLost(): Promise<void> {
    this.#gate.disown();
    await this.#active.halt(() => false);
  }

  async connectionLost(): Promise<void> {
    this.#gate.close();
    await this.#drain(true);
    await this.#active.halt(() => false);
  }

  knownHosts(): readonly string[] {
    return this.#map.knownAddresses;
  }

  /** Triggers are for what the tables say this sidecar hosts. */
  #serveReminders(): void {
    this.reminders
      .serve(this.#isClosed ? [] : this.#active.types)
      .catch((error: unknown) => this.#logger.error(`Failed to ask for reminders: ${errorMessage(error)}`));
  }

  #drain(all: boolean): Promise<void> {
    const hosted = this.#hosted;
    const told = new Set<string>();
    return this.#gate.drain(
      {
        enabled: hosted?.drainRebalanced ?? true,
        timeoutMs: (type) => hosted?.types.get(type)?.drainMs ?? hosted?.drainMs ?? DRAIN_MS_DEFAULT,
        deactivate: (ref) => {
          const actor = this.#active.find(ref);
          if (actor !== undefined) {
            this.#active.retire(actor);
          }
        },
        onTimeout: (type) => {
          if (!told.has(type)) {
            told.add(type);
            this.#logger.error(
              `Timed out waiting for actor type '${type}' in-flight lock claims to be released for rebalanced types, force cancelling remaining claims`,
            );
          }
        },
      },
      all,
    );
  }

  #storeChanged(change: "added" | "updated" | "removed", name: string): void {
    this.#active.suspended = change === "removed";
    if (this.#placement === undefined || this.#isClosed) {
      return;
    }
    this.#logger.info(STORE_CHANGE_TEXTS[change](name));
    if (change === "updated") {
      return;
    }
    this.#report();
    if (change === "removed") {
      this.#active
        .halt(() => false)
        .catch((error: unknown) => this.#logger.error(`Error draining hosted actors: ${errorMessage(error)}`));
    }
  }

  #report(): void {
    this.#placement?.report(this.#active.types);
  }
}
