import type { SubscriptionConditions } from "../blocks/pubsub/subscription-conditions.ts";
import type { ComponentCondition, ReloadState } from "../inventory/types.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { AppUnit } from "./app-unit.ts";
import type { UnitEvent, UnitHabits, UnitOutcome, UnitPlan, UnitSidecar } from "./app-unit-types.ts";
import type { Child, ChildEnd, SidecarPortPlan } from "./types.ts";

/** A sidecar that does as it is told. */
export class FakeSidecar implements UnitSidecar {
  readonly ports: SidecarPortPlan;
  readonly pid = undefined;
  readonly calls: string[] = [];
  /** What it answers when its resources have changed. */
  reloads: ReloadState | undefined = { rounds: 1, changes: 0, changed: [], problems: [] };
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<string>();
  readonly started = this.#started.promise;
  readonly ended = this.#ended.promise;

  constructor(ports: SidecarPortPlan) {
    this.ports = ports;
    this.started.catch(() => undefined);
  }

  open(): void {
    this.#started.resolve();
  }

  fail(reason: string): void {
    this.#started.reject(new Error(reason));
  }

  end(reason: string): void {
    this.#ended.resolve(reason);
  }

  async attend(): Promise<void> {
    this.calls.push("attend");
  }

  async appLeft(): Promise<void> {
    this.calls.push("appLeft");
  }

  async setMetadata(): Promise<void> {}

  async subscriptions(): Promise<SubscriptionConditions> {
    return { programmatic: { state: "known" }, subscriptions: [] };
  }

  async conditions(): Promise<readonly ComponentCondition[]> {
    return [];
  }

  async reload(): Promise<ReloadState | undefined> {
    this.calls.push("reload");
    return this.reloads;
  }

  async stop(graceMs: number): Promise<void> {
    this.calls.push(`stop ${graceMs}`);
    this.#ended.resolve("stopped");
  }
}

/** An app that does as it is told; it ends when it is stopped. */
export class FakeApp implements Child {
  readonly pid: number;
  readonly stops: number[] = [];
  readonly #ended = Promise.withResolvers<ChildEnd>();
  readonly ended = this.#ended.promise;
  readonly #onLine: (stream: "stdout" | "stderr", line: string) => void;

  constructor(pid: number, onLine: (stream: "stdout" | "stderr", line: string) => void) {
    this.pid = pid;
    this.#onLine = onLine;
  }

  say(line: string): void {
    this.#onLine("stderr", line);
  }

  exit(code: number): void {
    this.#ended.resolve({ code, signal: null });
  }

  die(signal: "SIGKILL" | "SIGSEGV"): void {
    this.#ended.resolve({ code: null, signal });
  }

  stop(graceMs: number): Promise<ChildEnd> {
    this.stops.push(graceMs);
    this.#ended.resolve({ code: null, signal: "SIGTERM" });
    return this.ended;
  }
}

/** A unit among fakes, and what it has told and started. */
export class UnitBench {
  readonly clock = new VirtualClock();
  readonly events: UnitEvent[] = [];
  readonly sidecars: FakeSidecar[] = [];
  readonly apps: FakeApp[] = [];
  /** Ports that somebody else has. */
  readonly taken = new Map<number, string>();
  /** Whether the app's port accepts connections. */
  listens = false;
  /** Whether sidecars come up by themselves. */
  opens = true;
  readonly unit: AppUnit;
  readonly done: Promise<UnitOutcome>;
  #picked = 40_000;

  constructor(plan: Partial<UnitPlan> = {}, habits: Partial<UnitHabits> = {}, sidecarOutlivesApp = true) {
    this.unit = new AppUnit(
      {
        appId: "app",
        command: ["node", "app.js"],
        appPort: 3000,
        ports: { http: 3500, grpc: 0, internalGrpc: 0, metrics: 0 },
        ...plan,
      },
      {
        clock: this.clock,
        sidecarOutlivesApp,
        startSidecar: (ports) => {
          const sidecar = new FakeSidecar(ports);
          this.sidecars.push(sidecar);
          if (this.opens) {
            sidecar.open();
          }
          return sidecar;
        },
        startApp: (_ports, onLine) => {
          const app = new FakeApp(this.apps.length + 1, onLine);
          this.apps.push(app);
          return app;
        },
        appListens: async () => this.listens,
        isPortFree: async (_use, port) => !this.taken.has(port),
        portOwner: async (port) => this.taken.get(port),
        pickPort: async () => ++this.#picked,
        tell: (event) => void this.events.push(event),
      },
      { keepsUp: true, appGraceMs: 500, sidecarGraceMs: 250, ...habits },
    );
    // Later, so that a test can prepare the world.
    this.done = Promise.resolve().then(() => this.unit.run());
  }

  get app(): FakeApp {
    return this.apps.at(-1)!;
  }

  get sidecar(): FakeSidecar {
    return this.sidecars.at(-1)!;
  }

  /** Lets what is under way go as far as it gets at this time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) {
      await Promise.resolve();
    }
  }

  /** Lets time pass in steps, as it does. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    for (let leftMs = ms; leftMs > 0; leftMs -= 100) {
      this.clock.advance(Math.min(100, leftMs));
      await this.settle();
    }
  }

  /** What was told of one kind. */
  told<K extends UnitEvent["kind"]>(kind: K): readonly Extract<UnitEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<UnitEvent, { kind: K }> => event.kind === kind);
  }
}

/** A unit whose app listens. */
export async function unitThatIsUp(...options: ConstructorParameters<typeof UnitBench>): Promise<UnitBench> {
  const bench = new UnitBench(...options);
  bench.listens = true;
  await bench.pass(100);
  return bench;
}
