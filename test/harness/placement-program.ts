import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
} from "@grpc/grpc-js";
import { methodOf } from "../../src/net/grpc/protobuf.ts";
import {
  HostOperation,
  HostSchema,
  Placement,
  type PlacementOrder,
} from "../../src/wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { TLS_NAME } from "./grpc-caller.ts";
import { metricOf, type Program, roleFlags, startOutrigger, whileRunning } from "./outrigger-program.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

const method = methodOf(Placement.method.reportDaprStatus);

const OPERATIONS: Readonly<Record<string, HostOperation>> = {
  lock: HostOperation.LOCK,
  update: HostOperation.UPDATE,
  unlock: HostOperation.UNLOCK,
};

/** `outrigger placement` in a process of its own. */
export interface PlacementProgram extends AsyncDisposable {
  readonly program: Program;
  readonly address: string;
  get(path: string): Promise<Response>;
  /** The value of one of its metrics, with its labels; undefined where there is none. */
  metric(series: string): Promise<number | undefined>;
  /** A sidecar that connects and reports these actor types. */
  host(id: string, entities: readonly string[], options?: HostOptions): PlacementHost;
}

export interface HostOptions {
  /** Acknowledges every order; true by default. */
  readonly answers?: boolean;
  readonly namespace?: string;
  /** Of its connection; plain text by default. */
  readonly credentials?: ChannelCredentials;
}

/** The flags are added to those of its free ports. */
export async function startPlacementProgram(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<PlacementProgram> {
  const [port, healthPort, metricsPort, memberPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const program = startOutrigger(
    [
      "placement",
      ...roleFlags(port, healthPort, metricsPort),
      "--metadata-enabled",
      "--log-level=debug",
      // Given twice, lists grow.
      ...(flags.some((flag) => flag.startsWith("--initial-cluster"))
        ? []
        : [`--initial-cluster=dapr-placement-0=127.0.0.1:${memberPort}`]),
      ...flags,
    ],
    { cwd: import.meta.dirname, env },
  );
  const hosts: PlacementHost[] = [];
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${healthPort}${path}`);
  const placement: PlacementProgram = {
    program,
    address: `127.0.0.1:${port}`,
    get,
    metric: (series) => metricOf(metricsPort, series),
    host(id, entities, options) {
      const host = new PlacementHost(placement.address, id, entities, options);
      hosts.push(host);
      return host;
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) {
        host.leave();
      }
      await program[Symbol.asyncDispose]();
    },
  };
  const healthy = until("placement is healthy", async () => (await get("/healthz")).status === 200, 30_000);
  try {
    await whileRunning("placement", program, healthy);
  } catch (error) {
    await placement[Symbol.asyncDispose]();
    throw error;
  }
  return placement;
}

/** A sidecar as the placement service sees it, over grpc-js. */
export class PlacementHost {
  /** `lock 1`, `update 1: cat@a`, `unlock 1`, … */
  readonly heard: string[] = [];
  /** How the stream ended. */
  readonly ended: Promise<{ readonly code: number; readonly message: string }>;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #identity: MessageInitShape<typeof HostSchema>;

  constructor(address: string, id: string, entities: readonly string[], options: HostOptions = {}) {
    const { answers = true, namespace = "default" } = options;
    this.#identity = { id, namespace };
    this.#client = new Client(address, options.credentials ?? credentials.createInsecure(), TLS_NAME);
    this.#call = this.#client.makeBidiStreamRequest(
      method.path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
    );
    this.ended = new Promise((resolve) => {
      this.#call.on("error", ({ code, details }: ServiceError) => resolve({ code, message: details }));
      this.#call.on("end", () => resolve({ code: 0, message: "" }));
    });
    this.#call.on("data", (bytes: Buffer) => this.#take(method.decodeResponse(bytes), answers));
    this.report(entities);
  }

  report(entities: readonly string[]): void {
    const { id = "" } = this.#identity;
    const name = `${id}.test:50002`;
    this.#send({ name, port: 50002n, apiLevel: 20, operation: HostOperation.REPORT, entities: [...entities] });
  }

  /** Takes no bytes from its connection any longer. */
  stopReading(): void {
    this.#call.pause();
  }

  leave(): void {
    this.#call.cancel();
    this.#client.close();
  }

  async hears(order: string): Promise<void> {
    await until(`${this.#identity.id} hears ${order} (heard: ${this.heard.join(", ")})`, () =>
      this.heard.includes(order),
    );
  }

  #take(order: PlacementOrder, answers: boolean): void {
    const { operation, version, tables } = order;
    const table = Object.entries(tables?.entries ?? {}).flatMap(([type, { loadMap }]) =>
      Object.values(loadMap).map((host) => `${type}@${host.id}`),
    );
    this.heard.push(`${operation} ${version}${tables === undefined ? "" : `: ${table.toSorted().join(", ")}`}`);
    if (answers) {
      this.#send({ operation: OPERATIONS[operation] ?? HostOperation.UNKNOWN, version });
    }
  }

  #send(facts: MessageInitShape<typeof HostSchema>): void {
    this.#call.write(Buffer.from(method.encodeRequest(create(HostSchema, { ...this.#identity, ...facts }))));
  }
}
