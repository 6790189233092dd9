import type { GrpcError } from "../../net/grpc/status.ts";
import { hostOf } from "./fake-host.fixture.ts";
import type { PlacementService } from "./placement-service.ts";
import type { PeerOrder, PeerReport, PeerStream } from "./types.ts";

/** A sidecar of ours that acknowledges what it is told, when the test says so. */
export class FakePeer {
  readonly id: string;
  readonly heard: string[] = [];
  readonly stream: PeerStream;
  #told: number | undefined;

  constructor(
    service: PlacementService,
    id: string,
    { types = ["cat"], incarnation = `${id}-1`, held }: PeerFacts = {},
  ) {
    this.id = id;
    this.stream = service.openPeer(
      { host: hostOf(id, types), incarnation, held, askedMs: 1 },
      {
        send: (order) => {
          this.heard.push(describe(order));
          this.#told = order.kind === "table" ? order.tables.version : this.#told;
        },
        end: (error?: GrpcError) =>
          this.heard.push(error === undefined ? "end" : `end ${error.code}: ${error.message}`),
      },
    );
  }

  /** Has carried out the last table. */
  apply(): void {
    if (this.#told !== undefined) {
      this.stream.applied(this.#told);
    }
  }

  /** What it has heard since the last look. */
  news(): string[] {
    return this.heard.splice(0);
  }
}

interface PeerFacts {
  readonly types?: readonly string[];
  readonly incarnation?: string;
  readonly held?: PeerReport["held"];
}

function describe(order: PeerOrder): string {
  switch (order.kind) {
    case "welcome":
      return order.resumed ? "welcome back" : "welcome";
    case "lease":
      return "lease";
    case "agreed":
      return `agreed ${order.version}`;
    case "table": {
      const hosts = [...order.tables.hosts.values()].map(({ id }) => id).toSorted();
      return `table ${order.tables.version}: ${hosts.join(", ")}`;
    }
  }
}
