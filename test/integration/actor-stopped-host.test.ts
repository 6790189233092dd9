import { expect, it } from "vitest";
import { type PlacementProgram, startPlacementProgram } from "../harness/placement-program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { type SidecarProgram, startSidecarProgram } from "../harness/sidecar-program.ts";
import { freePort, startTestApp, type TestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** What a stopped process may take to be missed, and to find its place again. */
const PATIENCE_MS = 60_000;

class CounterHost implements AsyncDisposable {
  readonly app: TestApp;
  readonly sidecar: SidecarProgram;
  /** What the sidecar has answered to the app's transactions. */
  readonly saved: number[] = [];
  /** Waited for by the app between its read and its write. */
  gate: Promise<void> = Promise.resolve();

  private constructor(app: TestApp, sidecar: SidecarProgram) {
    this.app = app;
    this.sidecar = sidecar;
  }

  static async start(placement: PlacementProgram, resources: string): Promise<CounterHost> {
    const started = Promise.withResolvers<CounterHost>();
    const app = await startTestApp({
      config: JSON.stringify({ entities: ["t"] }),
      answer: async ({ method, url }) =>
        method === "PUT" && url.endsWith("/method/count") ? await (await started.promise).#count(url) : undefined,
    });
    const sidecar = await startSidecarProgram({
      resources,
      flags: [
        `--app-port=${app.port}`,
        `--placement-host-address=${placement.address}`,
        `--dapr-internal-grpc-port=${await freePort()}`,
      ],
    });
    const host = new CounterHost(app, sidecar);
    started.resolve(host);
    return host;
  }

  count(id: string): Promise<Response> {
    return this.sidecar.fetch(`/v1.0/actors/t/${id}/method/count`, { method: "POST" });
  }

  async read(id: string): Promise<string> {
    return await (await this.sidecar.fetch(`/v1.0/actors/t/${id}/state/n`)).text();
  }

  called(id: string): number {
    return this.app.at(`/actors/t/${id}/method/count`).length;
  }

  async #count(url: string): Promise<{ readonly status: number }> {
    const state = `/v1.0${url.replace("/method/count", "/state")}`;
    const count = Number((await (await this.sidecar.fetch(`${state}/n`)).text()) || 0);
    await this.gate;
    const body = JSON.stringify([{ operation: "upsert", request: { key: "n", value: count + 1 } }]);
    const { status } = await this.sidecar.fetch(state, { method: "POST", body });
    this.saved.push(status);
    return { status: status < 300 ? 200 : 500 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sidecar[Symbol.asyncDispose]();
    await this.app[Symbol.asyncDispose]();
  }
}

it(
  "a sidecar that was stopped in a turn and finds its actor moved does not commit what its app read before",
  async () => {
    await using folder = await temporaryFolder();
    const settings = { connectionString: `${folder.path}/state.db`, actorStateStore: "true" };
    const resources = component("store", "state.sqlite", settings);
    await using placement = await startPlacementProgram(["--disseminate-timeout=2s", "--keepalive-timeout=2s"]);
    await using stopped = await CounterHost.start(placement, resources);
    await using other = await CounterHost.start(placement, resources);

    const id = await until("an actor is found that lives in the one to be stopped", async () => {
      const candidate = crypto.randomUUID();
      await other.count(candidate);
      return stopped.called(candidate) === 1 ? candidate : undefined;
    });
    const gate = Promise.withResolvers<void>();
    stopped.gate = gate.promise;
    const before = stopped.saved.length;
    const overtaken = stopped.count(id);
    await until("its app has begun another turn", () => stopped.called(id) === 2);
    process.kill(stopped.sidecar.program.pid, "SIGSTOP");
    await until("the other one counts", async () => (await other.count(id)).status === 200, PATIENCE_MS);
    process.kill(stopped.sidecar.program.pid, "SIGCONT");
    gate.resolve();

    expect((await overtaken).status).toBeGreaterThanOrEqual(400);
    await until("the app has its answer", () => stopped.saved.length > before);
    expect(stopped.saved.at(-1)).toBeGreaterThanOrEqual(400);
    expect(await other.read(id)).toBe("2");
    stopped.gate = Promise.resolve();
    await until(
      "it counts again, wherever it lives",
      async () => (await stopped.count(id)).status === 200,
      PATIENCE_MS,
    );
    expect(await other.read(id)).toBe("3");
  },
  3 * PATIENCE_MS,
);
