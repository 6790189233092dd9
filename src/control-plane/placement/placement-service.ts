import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import type { PlacementMetrics } from "../../telemetry/metrics/placement-metrics.ts";
import type { Host } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { Dissemination } from "./dissemination.ts";
import { checkHost, checkPeer, checkSameAddress, checkSameNamespace } from "./host-rules.ts";
import { SETTLE_MS, STREAMS_MAX } from "./limits.ts";
import type { Member } from "./member.ts";
import type { ProbeHost } from "./peer-watch.ts";
import type { HostSink, HostStream, NamespaceState, PeerReport, PeerSink, PeerStream, Sink } from "./types.ts";

export interface PlacementServiceOptions {
  readonly replicationFactor: number;
  readonly disseminateTimeoutMs: number;
  readonly coalesceWindowMs: number;
  /** `STREAMS_MAX` when absent. */
  readonly streamsMax?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: PlacementMetrics | undefined;
  /** Absent: rounds have no spans. */
  readonly tracer?: Tracer | undefined;
  /** Absent: a sidecar of ours whose stream has broken is waited for until its lease is over. */
  readonly probe?: ProbeHost | undefined;
}

interface CountedStream<T> {
  readonly sink: Sink<T>;
  /** Runs what opens the stream. @throws what it throws */
  opened(enter: () => Member): Member;
  isOpen(): boolean;
  close(): boolean;
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
  #settledAtMs: number | undefined;

  constructor(options: PlacementServiceOptions) {
    this.#options = options;
  }

  /**
   * This service may not be the first one: leases that another one has granted are waited for. One that lives and dies with
   * all its sidecars need not be told.
   */
  lead(): void {
    this.#settledAtMs = this.#options.clock.monotonicMs() + SETTLE_MS;
  }

  /** A sidecar's stream begins with its first report. @throws GrpcError for a report that is refused, or one stream too many */
  open(host: Host, sink: HostSink): HostStream {
    this.#checkRoom();
    checkHost(host);
    const { namespace } = host;
    const dissemination = this.#namespace(namespace);
    const stream = this.#counted(sink);
    const member = stream.opened(() => dissemination.open(host, stream.sink));
    const close = (): void => {
      if (stream.close()) {
        dissemination.close(member);
      }
    };
    return {
      report: (next) => {
        if (!stream.isOpen()) {
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

  /**
   * A stream of a sidecar of ours.
   * @param leaseMs `Infinity` for one that lives and dies with this process; `LEASE_MS` when absent
   * @throws GrpcError for a report that is refused, or one stream too many
   */
  openPeer(report: PeerReport, sink: PeerSink, leaseMs?: number): PeerStream {
    this.#checkRoom();
    checkPeer(report);
    const { namespace, name } = report.host;
    const dissemination = this.#namespace(namespace);
    const stream = this.#counted(sink);
    const member = stream.opened(() => dissemination.openPeer(report, stream.sink, leaseMs));
    return {
      report: (host, askedMs) => {
        if (!stream.isOpen()) {
          return;
        }
        checkHost(host);
        checkSameNamespace(host, namespace);
        checkSameAddress(host, name);
        dissemination.reportPeer(member, host, askedMs);
      },
      applied: (version) => {
        if (stream.isOpen()) {
          dissemination.applied(member, version);
        }
      },
      askLease: (askedMs) => {
        if (stream.isOpen()) {
          dissemination.askLease(member, askedMs);
        }
      },
      leave: () => {
        if (stream.close()) {
          dissemination.close(member);
          sink.end();
        }
      },
      lost: () => {
        if (stream.close()) {
          dissemination.lost(member, stream.sink);
        }
      },
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

  #checkRoom(): void {
    const streamsMax = this.#options.streamsMax ?? STREAMS_MAX;
    if (this.#streams >= streamsMax) {
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `this placement service has reached its limit of ${streamsMax} streams; give other clusters a placement service of their own`,
      );
    }
  }

  /** Counts a stream until either side ends it, or it cannot be opened; `close` says whether it was this that did. */
  #counted<T>(sink: Sink<T>): CountedStream<T> {
    let open = true;
    this.#streams += 1;
    const close = (): boolean => {
      const was = open;
      open = false;
      this.#streams -= was ? 1 : 0;
      return was;
    };
    return {
      sink: {
        send: (order) => sink.send(order),
        end: (error) => {
          if (close()) {
            sink.end(error);
          }
        },
      },
      opened: (enter) => {
        try {
          return enter();
        } catch (error) {
          close();
          throw error;
        }
      },
      isOpen: () => open,
      close,
    };
  }

  #namespace(namespace: string): Dissemination {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) {
      return known;
    }
    const { replicationFactor, disseminateTimeoutMs, coalesceWindowMs, clock, logger, metrics, probe, tracer } =
      this.#options;
    const made: Dissemination = new Dissemination({
      namespace,
      replicationFactor,
      timeoutMs: disseminateTimeoutMs,
      coalesceWindowMs,
      clock,
      settledAtMs: this.#settledAtMs,
      probe,
      tracer,
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
