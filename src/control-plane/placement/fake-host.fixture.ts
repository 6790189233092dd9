import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { GrpcError } from "../../net/grpc/status.ts";
import { type Host, HostOperation, HostSchema } from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import type { HostSink, HostStream, Order } from "./types.ts";

/** Fields of a host that a test says itself. */
export type HostFacts = Omit<MessageInitShape<typeof HostSchema>, "$typeName">;

/** A report as a sidecar of 1.18 sends it. */
export function hostOf(id: string, entities: readonly string[] = ["cat"], more: HostFacts = {}): Host {
  return create(HostSchema, {
    name: `${id}.test:50002`,
    port: 50002n,
    id,
    namespace: "default",
    apiLevel: 20,
    operation: HostOperation.REPORT,
    entities: [...entities],
    ...more,
  });
}

const OPERATIONS = { lock: HostOperation.LOCK, update: HostOperation.UPDATE, unlock: HostOperation.UNLOCK };

/** A sidecar that acknowledges what it is told, when the test says so. */
export class FakeHost {
  /** `lock 1`, `update 1: cat@a, dog@b`, … and `end 4: …`. */
  readonly heard: string[] = [];
  /** The same from the beginning; `news` takes nothing from it. */
  readonly everHeard: string[] = [];
  readonly stream: HostStream;
  readonly #id: string;
  readonly #unanswered: Order[] = [];
  #answered: Order | undefined;

  constructor(open: (host: Host, sink: HostSink) => HostStream, host: Host) {
    this.#id = host.id;
    this.stream = open(host, {
      send: (order) => {
        this.#hear(describe(order));
        this.#unanswered.push(order);
      },
      end: (error: GrpcError) => this.#hear(`end ${error.code}: ${error.message}`),
    });
  }

  /** Orders that it has not acknowledged, the oldest first. */
  get unanswered(): readonly Order[] {
    return this.#unanswered;
  }

  /** Acknowledges the oldest order that it has not. */
  answer(): void {
    const order = this.#unanswered.shift();
    if (order === undefined) {
      throw new Error(`${this.#id} has nothing to answer`);
    }
    this.#answered = order;
    this.acknowledge(order.operation, order.version);
  }

  /** Says once more what it has said last. */
  answerAgain(): void {
    if (this.#answered !== undefined) {
      this.acknowledge(this.#answered.operation, this.#answered.version);
    }
  }

  /** The same where there may be nothing to answer. */
  answerOne(): void {
    if (this.#unanswered.length > 0) {
      this.answer();
    }
  }

  /** Acknowledges everything, also what comes because of it. */
  answerAll(): void {
    while (this.#unanswered.length > 0) {
      this.answer();
    }
  }

  acknowledge(operation: Order["operation"], version: number, namespace = "default"): void {
    this.stream.report(
      create(HostSchema, { id: this.#id, namespace, operation: OPERATIONS[operation], version: BigInt(version) }),
    );
  }

  #hear(text: string): void {
    this.heard.push(text);
    this.everHeard.push(text);
  }

  /** What it has heard since the last look. */
  news(): string[] {
    return this.heard.splice(0);
  }
}

function describe(order: Order): string {
  if (order.operation !== "update") {
    return `${order.operation} ${order.version}`;
  }
  const pairs = [...order.tables.entries].flatMap(([type, hosts]) =>
    [...hosts.values()].map((host) => `${type}@${host.id}`),
  );
  return `update ${order.version}: ${pairs.toSorted().join(", ")}`;
}

/** Lets hosts answer in turn until none has anything left. */
export function settle(...hosts: readonly FakeHost[]): void {
  for (let before = -1, after = 0; before !== after;) {
    before = hosts.reduce((sum, host) => sum + host.heard.length, 0);
    for (const host of hosts) {
      host.answerAll();
    }
    after = hosts.reduce((sum, host) => sum + host.heard.length, 0);
  }
}
