import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { PlacementMetrics } from "../../telemetry/metrics/placement-metrics.ts";
import type { Host } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { Dissemination } from "./dissemination.ts";
import { checkHost, checkSameNamespace } from "./host-rules.ts";
import { STREAMS_MAX } from "./limits.ts";
import type { HostSink, HostStream, NamespaceState } from "./types.ts";

export interface PlacementServiceOptions {
  readonly replicationFactor: number;
  readonly disseminateTimeoutMs: number;
  readonly coalesceWindowMs: number;
  /** `STREAMS_MAX` when absent. */
  readonly streamsMax?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: PlacementMetrics | undefined;
}

/**
 * Keeps who hosts which actor types, namespace by namespace, for as long as their streams live: there is nothing else to
 * lose, and another leader has the same table once the sidecars have come to it. It knows no sockets: a process that holds
 * both may open streams directly.
 */
export class PlacementService {
  readonly #options: PlacementServiceOptions;
  readonly #namespaces = new Map<string, Dissemination>();
  #streams = 0;

  constructor(options: PlacementServiceOptions) {
    this.#options = options;
  }

  /** A sidecar's stream begins with its first report. @throws GrpcError for a report that is refused, or one stream too many */
  open(host: Host, sink: HostSink): HostStream {
    const streamsMax = this.#options.streamsMax ?? STREAMS_MAX;
    if (this.#streams >= streamsMax) {
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `this placement service has reached its limit of ${streamsMax} streams; give other clusters a placement service of their own`,
      );
    }
    checkHost(host);
    const { namespace } = host;
    const dissemination = this.#namespace(namespace);
    this.#streams += 1;
    let open = true;
    const close = (): void => {
      if (open) {
        open = false;
        this.#streams -= 1;
        dissemination.close(member);
      }
    };
    const member = dissemination.open(host, {
      send: (order) => sink.send(order),
      end: (error) => {
        if (open) {
          open = false;
          this.#streams -= 1;
          sink.end(error);
        }
      },
    });
    return {
      report: (next) => {
        if (!open) {
          return;
        }
        try {
          checkHost(next);
          checkSameNamespace(next, namespace);
        } catch (error) {
          close();
          throw error;
        }
        dissemination.report(member, next);
      },
      close,
    };
  }

  /** Ends all streams: another member leads, or the service stops. */
  endAll(error: GrpcError): void {
    for (const dissemination of this.#namespaces.values()) {
      dissemination.end(error);
    }
  }

  /** Namespaces with sidecars. */
  state(): ReadonlyMap<string, NamespaceState> {
    return new Map([...this.#namespaces].map(([namespace, dissemination]) => [namespace, dissemination.state()]));
  }

  #namespace(namespace: string): Dissemination {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) {
      return known;
    }
    const { replicationFactor, disseminateTimeoutMs, coalesceWindowMs, clock, logger, metrics } = this.#options;
    const made: Dissemination = new Dissemination({
      namespace,
      replicationFactor,
      timeoutMs: disseminateTimeoutMs,
      coalesceWindowMs,
      clock,
      logger: logger.scope("dapr.placement.server.loops.disseminator"),
      onMembership: () => {
        metrics?.recordRuntimes(namespace, made.runtimes, made.actorRuntimes);
        if (made.empty && this.#namespaces.get(namespace) === made) {
          this.#namespaces.delete(namespace);
        }
      },
    });
    this.#namespaces.set(namespace, made);
    return made;
  }
}
