import { expect, it } from "vitest";
import { type PlacementProgram, startPlacementProgram } from "../harness/placement-program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { type SidecarProgram, startSidecarProgram } from "../harness/sidecar-program.ts";
import { freePort, startTestApp, type TestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** What the end of a killed process's lease, a start and two rounds may take on a busy machine. */
const PATIENCE_MS = 60_000;

/** An app that keeps its actors' state in memory until it is told of their deactivation, as SDKs do, and its sidecar. */
class KeepingHost implements AsyncDisposable {
  readonly app: TestApp;
  readonly #flags: readonly string[];
  readonly #resources: string;
  readonly #kept: Map<string, number>;
  #sidecar: SidecarProgram | undefined;

  private constructor(app: TestApp, flags: readonly string[], resources: string, kept: Map<string, number>) {
    this.app = app;
    this.#flags = flags;
    this.#resources = resources;
    this.#kept = kept;
  }

  static async start(placement: PlacementProgram, resources: string): Promise<KeepingHost> {
    const started = Promise.withResolvers<KeepingHost>();
    const kept = new Map<string, number>();
    const app = await startTestApp({
      config: JSON.stringify({ entities: ["t"] }),
      answer: async ({ method, url }) => {
        const id = url.split("/")[3] ?? "";
        if (method === "DELETE") {
          // One that it does not have is an error, as in several SDKs.
          return kept.delete(id) ? undefined : { status: 500 };
        }
        return url.endsWith("/method/count") ? await (await started.promise).#count(id) : undefined;
      },
    });
    const flags = [
      `--app-port=${app.port}`,
      `--placement-host-address=${placement.address}`,
      // The owner of an actor hangs on it.
      `--dapr-internal-grpc-port=${await freePort()}`,
    ];
    const host = new KeepingHost(app, flags, resources, kept);
    await host.startSidecar();
    started.resolve(host);
    return host;
  }

  /** A process of its own, which the app does not notice. */
  async startSidecar(): Promise<void> {
    this.#sidecar = await startSidecarProgram({ resources: this.#resources, flags: this.#flags });
  }

  async killSidecar(): Promise<void> {
    const sidecar = this.#sidecar;
    this.#sidecar = undefined;
    await sidecar?.program.signal("SIGKILL");
    await sidecar?.[Symbol.asyncDispose]();
  }

  count(id: string): Promise<Response> {
    return this.#ask(`/v1.0/actors/t/${id}/method/count`, { method: "POST" });
  }

  called(id: string): number {
    return this.app.at(`/actors/t/${id}/method/count`).length;
  }

  told(id: string): number {
    return this.app.requests.filter(({ method, url }) => method === "DELETE" && url === `/actors/t/${id}`).length;
  }

  async #count(id: string): Promise<{ readonly status?: number; readonly body?: string }> {
    const state = `/v1.0/actors/t/${id}/state`;
    const before = this.#kept.get(id) ?? Number((await (await this.#ask(`${state}/n`)).text()) || 0);
    const body = JSON.stringify([{ operation: "upsert", request: { key: "n", value: before + 1 } }]);
    const { ok } = await this.#ask(state, { method: "POST", body });
    if (!ok) {
      return { status: 500 };
    }
    this.#kept.set(id, before + 1);
    return { body: String(before + 1) };
  }

  async #ask(path: string, init?: RequestInit): Promise<Response> {
    if (this.#sidecar === undefined) {
      throw new Error("there is no sidecar");
    }
    return await this.#sidecar.fetch(path, init);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sidecar?.[Symbol.asyncDispose]();
    await this.app[Symbol.asyncDispose]();
  }
}

it(
  "an app that outlives its sidecar does not write what it remembers of an actor that has been elsewhere",
  async () => {
    await using folder = await temporaryFolder();
    const settings = { connectionString: `${folder.path}/state.db`, actorStateStore: "true" };
    const resources = component("store", "state.sqlite", settings);
    await using placement = await startPlacementProgram();
    await using outlived = await KeepingHost.start(placement, resources);
    await using other = await KeepingHost.start(placement, resources);
    /** What the calls that succeeded have counted to. */
    let counted: number[] = [];
    const counts = async (id: string, where: KeepingHost): Promise<boolean> => {
      const before = where.called(id);
      const answer = await other.count(id);
      if (!answer.ok) {
        return false;
      }
      counted.push(Number(await answer.text()));
      return where.called(id) > before;
    };

    const id = await until("an actor is found that lives with the one to be outlived", async () => {
      counted = [];
      const candidate = crypto.randomUUID();
      return (await counts(candidate, outlived)) ? candidate : undefined;
    });
    await outlived.killSidecar();
    await until("it counts at the other one", () => counts(id, other), PATIENCE_MS);
    await outlived.startSidecar();
    await until("it counts again where it was", () => counts(id, outlived), PATIENCE_MS);
    await until("it goes on there", () => counts(id, outlived), PATIENCE_MS);

    // Each of them counts on from the one before.
    expect(counted).toEqual([...new Set(counted)].toSorted((a, b) => a - b));
    expect(counted.length).toBeGreaterThan(3);
    expect(outlived.told(id)).toBe(1);
  },
  4 * PATIENCE_MS,
);
