import type { ActorCall, ActorReply, ActorTickCall } from "../app/actor-host.ts";
import type { ActorsBlock } from "../blocks/actors/actors-block.ts";
import type { RemoteActors } from "../blocks/actors/actor-router.ts";
import type { SharedScope } from "../components/spi/component.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { Logger } from "../kit/logger.ts";
import type { PlacementHost } from "../mesh/placement-stream.ts";
import { GrpcError } from "../net/grpc/status.ts";

const SHARED_KEY = "sidecar.local-peers";

/** What addresses without a port begin with; nobody can connect to one. */
const LOCAL_PREFIX = "in-process:";

type Peer = Pick<ActorsBlock, "callFromPeer" | "fireFromPeer">;

/** The sidecars of a scope that host actors, by the addresses in the placement tables: they reach each other by function calls. */
export class LocalPeers {
  readonly #peers = new Map<string, Peer>();
  #named = 0;

  static of(shared: SharedScope): LocalPeers {
    return shared.acquire(SHARED_KEY, () => new LocalPeers());
  }

  /** An address for a sidecar without an internal port. */
  newAddress(): string {
    this.#named += 1;
    return `${LOCAL_PREFIX}${this.#named}`;
  }

  /** @returns takes it out again */
  join(address: string, peer: Peer): () => void {
    this.#peers.set(address, peer);
    return () => {
      if (this.#peers.get(address) === peer) {
        this.#peers.delete(address);
      }
    };
  }

  find(address: string): Peer | undefined {
    return this.#peers.get(address);
  }
}

/** The actors of other sidecars: those of this process directly, all others by the mesh. */
export class NearestActors implements RemoteActors {
  readonly #local: LocalPeers;
  readonly #mesh: RemoteActors;
  readonly #logger: Logger;

  constructor(local: LocalPeers, mesh: RemoteActors, logger: Logger) {
    this.#local = local;
    this.#mesh = mesh;
    this.#logger = logger;
  }

  async call(owner: PlacementHost, call: ActorCall, signal: CancelSignal): Promise<ActorReply> {
    const peer = this.#find(owner);
    return peer === undefined
      ? await this.#mesh.call(owner, call, signal)
      : await peer.callFromPeer({ ...call, signal }).catch((error: unknown) => this.#fail(error));
  }

  async fire(owner: PlacementHost, tick: ActorTickCall, signal: CancelSignal): Promise<void> {
    const peer = this.#find(owner);
    await (peer === undefined
      ? this.#mesh.fire(owner, tick, signal)
      : peer.fireFromPeer({ ...tick, signal }).catch((error: unknown) => this.#fail(error)));
  }

  forget(address: string): void {
    this.#mesh.forget(address);
  }

  #find({ address }: PlacementHost): Peer | undefined {
    const peer = this.#local.find(address);
    if (peer === undefined && address.startsWith(LOCAL_PREFIX)) {
      const cause = new Error(`there is no sidecar ${address} in this process any more`);
      throw new GrpcError(GRPC_STATUS.UNAVAILABLE, cause.message, { cause });
    }
    return peer;
  }

  /** What the internal port would have answered. */
  async #fail(error: unknown): Promise<never> {
    const [{ actorStatus }, { createErrorMapper }] = await Promise.all([
      import("../api/grpc/actor-status.ts"),
      import("../api/grpc/door.ts"),
    ]);
    const shown = actorStatus(error);
    const { code, message, detailsBin } = createErrorMapper(this.#logger, () => undefined)(shown);
    throw new GrpcError(code, message, {
      detailsBin,
      ...(GrpcError.is(shown) ? { metadata: shown.metadata } : {}),
    });
  }
}
