import { describe, expect, it } from "vitest";
import { type Make, type Member, MixedCluster, peersMissing } from "../harness/mixed-cluster.ts";
import { redisMissing, startRedisServer } from "../harness/redis-server.ts";
import { component } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const missing = peersMissing ?? redisMissing;

/** So many that with two hosts each of them has some. */
const IDS = Array.from({ length: 20 }, (_, index) => `actor-${index}`);

/** A change of hosts includes a round of the placement service, and a reminder is due each second. */
const MOVE_MS_MAX = 30_000;

/** One host: an app with actors of type `t`, and its sidecar. */
class Host {
  readonly app: TestApp;
  readonly sidecar: Member;

  private constructor(app: TestApp, sidecar: Member) {
    this.app = app;
    this.sidecar = sidecar;
  }

  static async start(cluster: MixedCluster, make: Make): Promise<Host> {
    const app = await startTestApp({
      config: JSON.stringify({ entities: ["t"], drainOngoingCallTimeout: "1s" }),
      answer: ({ method }) => (method === "PUT" ? { body: make } : undefined),
    });
    return new Host(app, await cluster.startSidecar(make, "counter", app.port));
  }

  /** Calls an actor, wherever it is. @returns who answered */
  async call(id: string): Promise<string> {
    const reply = await this.sidecar.fetch(`/v1.0/actors/t/${id}/method/m`, { method: "POST" });
    const text = await reply.text();
    if (!reply.ok) {
      throw new Error(`${reply.status} ${text}`);
    }
    return text;
  }

  async state(id: string): Promise<unknown> {
    const reply = await this.sidecar.fetch(`/v1.0/actors/t/${id}/state/n`);
    return reply.status === 200 ? await reply.json() : reply.status;
  }

  async save(id: string, value: number): Promise<void> {
    const body = JSON.stringify([{ operation: "upsert", request: { key: "n", value } }]);
    const reply = await this.sidecar.fetch(`/v1.0/actors/t/${id}/state`, { method: "POST", body });
    expect([reply.status, await reply.text()]).toEqual([204, ""]);
  }

  async remind(id: string): Promise<void> {
    const body = JSON.stringify({ dueTime: "1s", period: "1s", data: { of: id } });
    const reply = await this.sidecar.fetch(`/v1.0/actors/t/${id}/reminders/r`, { method: "POST", body });
    expect([reply.status, await reply.text()]).toEqual([204, ""]);
  }

  /** Resolves when an actor's reminder has come to this app once more from now on. */
  async reminded(id: string): Promise<void> {
    const path = `/actors/t/${id}/method/remind/r`;
    const before = this.app.at(path).length;
    const reminder = await until(`${id} is reminded`, () => this.app.at(path)[before], MOVE_MS_MAX);
    expect(JSON.parse(reminder.body)).toMatchObject({ data: { of: id } });
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.sidecar.stop(signal);
    await this.app.close();
  }
}

/** Every actor answers from where it should be, has its state, and is reminded there. */
async function allAt(host: Host, make: Make, value: number): Promise<void> {
  await Promise.all(
    IDS.map(async (id) => {
      await until(`${id} is ${make}`, async () => (await host.call(id)) === make, MOVE_MS_MAX);
      expect(await host.state(id)).toBe(value);
      await host.reminded(id);
    }),
  );
}

interface Mix {
  readonly placement: Make;
  readonly scheduler: Make;
  readonly first: Make;
  /** How hosts end. */
  readonly signal: "SIGTERM" | "SIGKILL";
}

const MIXES: readonly Mix[] = [
  { placement: "theirs", scheduler: "theirs", first: "theirs", signal: "SIGTERM" },
  { placement: "theirs", scheduler: "theirs", first: "ours", signal: "SIGTERM" },
  { placement: "ours", scheduler: "ours", first: "theirs", signal: "SIGTERM" },
  { placement: "theirs", scheduler: "ours", first: "theirs", signal: "SIGTERM" },
  { placement: "ours", scheduler: "theirs", first: "ours", signal: "SIGTERM" },
  { placement: "ours", scheduler: "ours", first: "ours", signal: "SIGKILL" },
  { placement: "theirs", scheduler: "theirs", first: "ours", signal: "SIGKILL" },
];

describe.skipIf(missing !== undefined)(`mixed clusters${missing === undefined ? "" : ` (${missing})`}`, () => {
  it.each(MIXES)(
    "actors keep state and reminders from the $first sidecar to the other and back (placement: $placement, scheduler: $scheduler, $signal)",
    async ({ placement, scheduler, first, signal }) => {
      const second: Make = first === "ours" ? "theirs" : "ours";
      await using redis = await startRedisServer();
      const metadata = { redisHost: redis.address, redisPassword: "", actorStateStore: "true" };
      await using cluster = await MixedCluster.start(placement, scheduler, component("store", "state.redis", metadata));
      const a = await Host.start(cluster, first);
      await until("the first host answers", async () => (await a.call(IDS[0] ?? "")) === first, MOVE_MS_MAX);
      for (const id of IDS) {
        await a.call(id);
        await a.save(id, 1);
        await a.remind(id);
      }
      await allAt(a, first, 1);

      const b = await Host.start(cluster, second);
      const answers = await until(
        "both hosts have some",
        async () => {
          const found = await Promise.all(IDS.map((id) => a.call(id)));
          return new Set(found).size === 2 && found;
        },
        MOVE_MS_MAX,
      );
      expect(await Promise.all(IDS.map((id) => b.call(id)))).toEqual(answers);
      for (const [index, id] of IDS.entries()) {
        const owner = answers[index] === first ? a : b;
        await owner.save(id, 2);
        expect([await a.state(id), await b.state(id)]).toEqual([2, 2]);
        await owner.reminded(id);
      }

      await a.end(signal);
      await allAt(b, second, 2);
      await Promise.all(IDS.map((id) => b.save(id, 3)));

      const again = await Host.start(cluster, first);
      await b.end(signal);
      await allAt(again, first, 3);
      await again.end(signal);
    },
  );
});
