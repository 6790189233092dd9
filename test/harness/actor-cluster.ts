import { type PlacementDouble, startPlacementDouble } from "./placement-double.ts";
import { component, type Folder, temporaryFolder } from "./resources.ts";
import { SchedulerProgram, schedulerPorts } from "./scheduler-program.ts";
import { type AppAnswer, type AppRequest, startTestApp, type TestApp } from "./test-app.ts";
import { startTestSidecar, type TestSidecar, type TestSidecarOptions } from "./test-sidecar.ts";
import { until } from "./until.ts";

/** What a cluster of sidecars with actors stands on. */
export interface ActorClusterOptions {
  /** Flags of a scheduler program of its own; undefined: there is no scheduler, and so no reminders. */
  readonly scheduler?: readonly string[];
}

/** `resources` are added to the state store. */
type SidecarOptions = Omit<TestSidecarOptions, "placement" | "scheduler">;

/** One app with actors of type `t`, and its sidecar. */
export interface ActorAppOptions extends SidecarOptions {
  /** Further members of the app's answer to `GET /dapr/config`. */
  readonly config?: Readonly<Record<string, unknown>>;
  answer?(request: AppRequest): AppAnswer | Promise<AppAnswer>;
}

/** A sidecar of a cluster with its app. */
export class ActorMember {
  readonly app: TestApp;
  readonly sidecar: TestSidecar;

  constructor(app: TestApp, sidecar: TestSidecar) {
    this.app = app;
    this.sidecar = sidecar;
  }

  /** `path` follows `/v1.0/actors/t/`; the method is POST unless `init` says otherwise. */
  actor(path: string, body?: unknown, init: RequestInit = {}): Promise<Response> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    return this.sidecar.fetch(`/v1.0/actors/t/${path}`, { method: "POST", ...json, ...init });
  }

  /** Whether the app was called for the actor. */
  hosts(id: string): boolean {
    return this.app.requests.some(({ method, url }) => method === "PUT" && url.startsWith(`/actors/t/${id}/`));
  }

  async ready(): Promise<void> {
    await until("it is in the tables", async () => (await this.sidecar.fetch("/v1.0/healthz")).status === 204);
  }

  async stop(): Promise<void> {
    await this.sidecar.stop();
    await this.app.close();
  }
}

/** Sidecars of the app `counter` with one state store, a placement service in this process, and a scheduler when asked for. */
export class ActorCluster implements AsyncDisposable {
  readonly placement: PlacementDouble;
  readonly scheduler: SchedulerProgram | undefined;
  readonly #folder: Folder;
  readonly #stops: (() => Promise<void>)[] = [];

  private constructor(folder: Folder, placement: PlacementDouble, scheduler: SchedulerProgram | undefined) {
    this.#folder = folder;
    this.placement = placement;
    this.scheduler = scheduler;
  }

  static async start({ scheduler: flags }: ActorClusterOptions = {}): Promise<ActorCluster> {
    const folder = await temporaryFolder();
    const placement = await startPlacementDouble();
    const scheduler = flags && (await new SchedulerProgram(folder.path, await schedulerPorts(), flags).ready());
    return new ActorCluster(folder, placement, scheduler);
  }

  /** One more member, which reports to the placement service at once; `ready` waits until it is in the tables. */
  async add({ config = {}, answer, ...options }: ActorAppOptions = {}): Promise<ActorMember> {
    const app = await startTestApp({
      config: JSON.stringify({ entities: ["t"], ...config }),
      ...(answer === undefined ? {} : { answer }),
    });
    const sidecar = await this.#startSidecar({ appPort: app.port, ...options });
    const member = new ActorMember(app, sidecar);
    this.#stops.push(() => member.stop());
    return member;
  }

  /** A sidecar without an app of its own. */
  async addSidecar(options: SidecarOptions = {}): Promise<TestSidecar> {
    const sidecar = await this.#startSidecar(options);
    this.#stops.push(() => sidecar.stop());
    return sidecar;
  }

  #startSidecar(options: SidecarOptions): Promise<TestSidecar> {
    const store = { connectionString: `${this.#folder.path}/state.db`, actorStateStore: "true" };
    const addresses = this.scheduler === undefined ? [] : [`127.0.0.1:${this.scheduler.ports.api}`];
    return startTestSidecar({
      appId: "counter",
      ...options,
      resources: [component("store", "state.sqlite", store), options.resources ?? ""].join("---\n"),
      placement: { addresses: [this.placement.address], disseminationTimeoutMs: 60_000 },
      scheduler: { addresses, jobStreams: 1 },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
    await this.scheduler?.[Symbol.asyncDispose]();
    await this.placement.close();
    await this.#folder[Symbol.asyncDispose]();
  }
}
