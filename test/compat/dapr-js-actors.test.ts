import { AbstractActor, ActorId, ActorProxyBuilder, DaprServer, Temporal } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningSidecar } from "../executable/program.ts";
import { MixedCluster } from "../harness/mixed-cluster.ts";
import { component } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";
import { startCandidate } from "./candidate.ts";
import { sdkBasics, sdkClientOptions } from "./dapr-js.ts";

/** What happened in actors that no call asks them for. */
const heard: string[] = [];

class Counter extends AbstractActor {
  override async onDeactivate(): Promise<void> {
    heard.push(`${this.getActorId().getId()} deactivated`);
  }

  async increment(by: number): Promise<number> {
    const state = this.getStateManager<number>();
    const [known, before] = await state.tryGetState("count");
    const count = (known ? (before ?? 0) : 0) + by;
    await state.setState("count", count);
    await state.saveState();
    return count;
  }

  async fail(): Promise<never> {
    throw new Error("the counter is broken");
  }

  async tickSoon(): Promise<void> {
    await this.registerActorTimer("timer", "ticked", seconds(0), seconds(3_600), undefined, "of a timer");
  }

  async ticked(data: string): Promise<void> {
    heard.push(`${this.getActorId().getId()} ticked: ${data}`);
    await this.unregisterActorTimer("timer");
  }

  async remindSoon(): Promise<void> {
    await this.registerActorReminder("reminder", seconds(0), seconds(3_600), undefined, "of a reminder");
  }

  override async receiveReminder(data: string): Promise<void> {
    heard.push(`${this.getActorId().getId()} reminded: ${data}`);
    await this.unregisterActorReminder("reminder");
  }
}

/** The SDK's own types of it lead nowhere. */
const { Duration } = Temporal as unknown as {
  readonly Duration: { from(fields: { readonly seconds: number }): never };
};

const seconds = (count: number): never => Duration.from({ seconds: count });

describe("actors through the official SDK", () => {
  let cluster: MixedCluster;
  let server: DaprServer;
  let sidecar: RunningSidecar;
  const counter = (id: string): Counter =>
    new ActorProxyBuilder<Counter>(Counter, server.client).build(new ActorId(id));

  beforeAll(async () => {
    const store = component("store", "state.in-memory", { actorStateStore: "true" });
    cluster = await MixedCluster.start("ours", "ours", store);
    const ports = { port: await freePort(), grpcPort: await freePort() };
    const appPort = await freePort();
    server = new DaprServer({
      serverHost: "127.0.0.1",
      serverPort: String(appPort),
      clientOptions: { ...sdkClientOptions(ports, "http"), actor: { actorIdleTimeout: "2s" } },
      ...sdkBasics("http"),
    });
    await server.actor.init();
    await server.actor.registerActor(Counter);
    [sidecar] = await Promise.all([
      startCandidate(cluster.sidecarFlags("counters", appPort), { httpPort: ports.port, grpcPort: ports.grpcPort }),
      server.start(),
    ]);
  });
  afterAll(async () => {
    await server.client.stop();
    await sidecar.stop("SIGTERM");
    await server.stop();
    await cluster[Symbol.asyncDispose]();
  });

  it("keep their state, each its own", async () => {
    expect([await counter("a").increment(1), await counter("a").increment(2), await counter("b").increment(5)]).toEqual(
      [1, 3, 5],
    );
  });

  it("take one call after the other", async () => {
    const counts = await Promise.all(Array.from({ length: 10 }, () => counter("turns").increment(1)));
    expect(counts.toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("tell their failures", async () => {
    await expect(counter("a").fail()).rejects.toThrow(/broken|500/);
  });

  it("get timers and reminders with their data", async () => {
    await counter("timed").tickSoon();
    await counter("timed").remindSoon();
    await until("both have come", () => heard.filter((line) => line.startsWith("timed ")).length >= 2);
    expect(heard.toSorted()).toEqual(
      expect.arrayContaining(["timed reminded: of a reminder", "timed ticked: of a timer"]),
    );
  });

  it("are deactivated when they are idle, and keep their state", async () => {
    expect(await counter("idle").increment(7)).toBe(7);
    await until("it is deactivated", () => heard.includes("idle deactivated"));
    expect(await counter("idle").increment(1)).toBe(8);
  });
});
