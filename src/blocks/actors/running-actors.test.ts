import { afterEach, describe, expect, it } from "vitest";
import { type ActorReply, type ActorTickCall, TicksCancelledError } from "../../app/actor-host.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { DisabledActors } from "./actors-block.ts";
import { WAITING_CALLS_MAX } from "./limits.ts";
import { ActorsBench, type ActorsBenchOptions, callOf, ME, PEER, REPLY } from "./running-actors.fixture.ts";

const TICK: ActorTickCall = {
  kind: "reminder",
  type: "t",
  id: "a",
  name: "n",
  dueTime: "",
  period: "",
  callback: "",
  data: undefined,
  expiresMs: undefined,
};

const benches: ActorsBench[] = [];
async function serving(options?: ActorsBenchOptions): Promise<ActorsBench> {
  const bench = await (await ActorsBench.create(options)).serving();
  benches.push(bench);
  return bench;
}
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
});

/** A call's outcome, with what it throws as its code and text. */
async function outcome(call: Promise<ActorReply>): Promise<string> {
  try {
    return Buffer.from((await call).body).toString();
  } catch (error) {
    const { entry, message } = error as { readonly entry?: { readonly code: string }; readonly message: string };
    return `${entry?.code ?? ""}: ${message}`;
  }
}

describe("a call", () => {
  it("of an actor of this sidecar's app goes into its turn", async () => {
    const bench = await serving();
    expect(await outcome(bench.call("t"))).toBe("done");
    expect([bench.host.calls, bench.sent]).toEqual([["t/a/m"], []]);
  });

  it("of an actor that lives elsewhere goes there", async () => {
    const bench = await serving();
    expect(await outcome(bench.call("far"))).toBe("done");
    expect([bench.host.calls, bench.sent]).toEqual([[], ["far/a"]]);
  });

  it("from a peer is never sent on", async () => {
    const bench = await serving();
    const call = outcome(bench.actors.callFromPeer(callOf("far")));
    await bench.pass(10);
    expect(await call).toBe("ERR_ACTOR_INVOKE_METHOD: error invoke actor method: remote actor moved");
    expect(bench.sent).toEqual([]);
  });

  it("waits for the first tables", async () => {
    const bench = await ActorsBench.create();
    benches.push(bench);
    bench.actors.start();
    bench.actors.register(bench.hosted);
    const call = outcome(bench.call("t"));
    await bench.settle();
    expect(bench.host.calls).toEqual([]);
    await bench.tables({ t: [{ address: ME, appId: "app" }] });
    expect(await call).toBe("done");
  });

  it("of a type that nobody hosts is tried for some seconds, and told in Dapr's words", async () => {
    const bench = await serving();
    const call = outcome(bench.call("none"));
    await bench.pass(10);
    expect(await call).toBe(
      "ERR_ACTOR_INVOKE_METHOD: error invoke actor method: failed to lookup actor: api error: code = FailedPrecondition desc = did not find address for actor 'none||a'",
    );
  });

  it("reaches a type that is hosted by then", async () => {
    const bench = await serving();
    const call = outcome(bench.call("late"));
    await bench.pass(1);
    await bench.tables({ late: [PEER] });
    await bench.pass(3);
    expect([await call, bench.sent]).toEqual(["done", ["late/a"]]);
  });

  it("that is cancelled ends with the caller's reason", async () => {
    const bench = await serving();
    bench.host.answer = (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const cancellation = new Cancellation();
    const call = outcome(bench.call("t", { signal: cancellation }));
    await bench.settle();
    cancellation.abort(new Error("context canceled"));
    expect(await call).toBe("ERR_ACTOR_INVOKE_METHOD: error invoke actor method: context canceled");
  });
});

describe("a call that failed at a peer", () => {
  it.each([
    ["has moved", new GrpcError(GRPC_STATUS.INTERNAL, "error invoke actor method: remote actor moved")],
    ["has moved, as a tick says it", new GrpcError(GRPC_STATUS.UNKNOWN, "remote actor moved")],
    ["waits for placement", new GrpcError(GRPC_STATUS.INTERNAL, "failed to lookup actor: placement is disseminating")],
  ])("because its actor %s is repeated", async (_, failure) => {
    const bench = await serving();
    const failures = [failure, failure];
    bench.peer = async () => {
      const next = failures.shift();
      if (next !== undefined) {
        throw next;
      }
      return REPLY;
    };
    const call = outcome(bench.call("far"));
    await bench.pass(10);
    expect([await call, bench.sent.length]).toEqual(["done", 3]);
  });

  it.each([
    ["it broke off, and may have run", new GrpcError(GRPC_STATUS.UNAVAILABLE, "the connection was lost")],
    [
      "its app failed",
      new GrpcError(GRPC_STATUS.INTERNAL, "error invoke actor method: error from actor service: (500)"),
    ],
  ])("because %s is not repeated", async (_, failure) => {
    const bench = await serving();
    bench.peer = () => Promise.reject(failure);
    const call = outcome(bench.call("far"));
    await bench.pass(10);
    expect([await call, bench.sent.length]).toEqual([
      expect.stringContaining(`ERR_ACTOR_INVOKE_METHOD: error invoke actor method: `),
      1,
    ]);
  });
});

describe("with a Resiliency for the type", () => {
  it("calls are repeated as it says", async () => {
    const bench = await serving({
      policies: {
        retries: { twice: { policy: "constant", duration: "1s", maxRetries: "2" } },
        actors: { far: { retry: "twice" } },
      },
    });
    bench.peer = () => Promise.reject(new GrpcError(GRPC_STATUS.INTERNAL, "no"));
    const call = outcome(bench.call("far"));
    await bench.pass(5);
    expect([await call, bench.sent.length]).toEqual([expect.stringContaining("no"), 3]);
  });

  it("an answer that says that its actor failed counts as a failure, and the last of them is given back", async () => {
    const bench = await serving({
      policies: {
        retries: { once: { policy: "constant", duration: "1s", maxRetries: "1" } },
        actors: { t: { retry: "once" } },
      },
    });
    bench.host.answer = async () => ({ ...REPLY, isError: true });
    const call = outcome(bench.call("t"));
    await bench.pass(3);
    expect([await call, bench.host.calls.length]).toEqual(["done", 2]);
  });

  it("the timeout is the turn's, not that of waiting for it", async () => {
    const bench = await serving({ policies: { timeouts: { short: "3s" }, actors: { t: { timeout: "short" } } } });
    const releases: (() => void)[] = [];
    bench.host.answer = () => new Promise((resolve) => releases.push(() => resolve(REPLY)));
    const calls = [outcome(bench.call("t")), outcome(bench.call("t"))];
    await bench.pass(2);
    releases[0]?.();
    await bench.pass(2);
    releases[1]?.();
    expect(await Promise.all(calls)).toEqual(["done", "done"]);
  });
});

describe("reentrancy", () => {
  const SETTINGS = { reentrancy: { enabled: true, stackDepthMax: 2 } };

  it("gives each chain of calls an id, and keeps the one that a call brings", async () => {
    const bench = await serving({ settings: SETTINGS });
    await bench.call("t");
    await bench.call("t", { headers: ["dapr-reentrancy-id", "mine"] });
    expect(bench.host.headers).toEqual([
      ["Dapr-Reentrancy-Id", expect.stringMatching(/^[0-9a-f-]{36}$/)],
      ["dapr-reentrancy-id", "mine"],
    ]);
  });

  it("is off where the type does not ask for it", async () => {
    const bench = await serving();
    let release = (): void => undefined;
    bench.host.answer = () => new Promise((resolve) => (release = () => resolve(REPLY)));
    const headers = ["Dapr-Reentrancy-Id", "chain"];
    const calls = [outcome(bench.call("t", { headers })), outcome(bench.call("t", { headers }))];
    await bench.settle();
    expect(bench.host.calls).toHaveLength(1);
    release();
    await bench.settle();
    release();
    expect(await Promise.all(calls)).toEqual(["done", "done"]);
  });

  it("has a depth, which is an error of its own and leaves the turn as it was", async () => {
    const bench = await serving({ settings: SETTINGS });
    const releases: (() => void)[] = [];
    bench.host.answer = () => new Promise((resolve) => releases.push(() => resolve(REPLY)));
    const chained = (): Promise<string> => outcome(bench.call("t", { headers: ["Dapr-Reentrancy-Id", "chain"] }));
    const calls = [chained(), chained()];
    await bench.settle();
    expect(await chained()).toBe("ERR_ACTOR_STACK_DEPTH: maximum stack depth exceeded");
    for (const release of releases) {
      release();
    }
    expect(await Promise.all(calls)).toEqual(["done", "done"]);
    const next = chained();
    await bench.settle();
    releases.at(-1)?.();
    expect(await next).toBe("done");
  });
});

describe("a tick from a peer", () => {
  it.each(["timer", "reminder"] as const)("goes into the turn (%s)", async (kind) => {
    const bench = await serving();
    await bench.actors.fireFromPeer({ ...TICK, kind });
    expect(bench.host.calls).toEqual([`t/a ${kind} n`]);
  });

  it("that is cancelled says so in the text, which is all that travels", async () => {
    const bench = await serving();
    bench.host.answer = () => Promise.reject(new TicksCancelledError());
    await expect(bench.actors.fireFromPeer(TICK)).rejects.toMatchObject({
      code: GRPC_STATUS.UNKNOWN,
      message: "reminder has been canceled",
    });
  });
});

describe("hosting", () => {
  it("is told as the app says it, and ends with the app", async () => {
    const bench = await ActorsBench.create();
    benches.push(bench);
    expect(bench.actors.status()).toMatchObject({ status: "INITIALIZING", hostReady: false, placement: "" });
    await bench.serving();
    expect([bench.reported, bench.actors.status()]).toEqual([
      ["t"],
      { status: "RUNNING", active: [{ type: "t", count: 0 }], hostReady: true, placement: "placement: connected" },
    ]);
    await bench.call("t");
    const { hosted } = bench;
    bench.actors.register(hosted);
    await bench.actors.unregister(bench.hosted);
    expect(bench.host.calls).not.toContain("t/a deactivated");
    await bench.actors.unregister(hosted);
    expect([bench.reported, bench.host.calls.at(-1)]).toEqual([[], "t/a deactivated"]);
  });

  it("needs a state store, and calls of others' actors do not", async () => {
    const bench = await serving({ store: false });
    expect([bench.reported, await outcome(bench.call("far"))]).toEqual([[], "done"]);
    await expect(bench.actors.getState({ type: "t", id: "a" }, "k")).rejects.toMatchObject({
      entry: { code: "ERR_ACTOR_RUNTIME_NOT_FOUND" },
    });
  });

  it("of an actor that moves ends with its turn, and the peer has it then", async () => {
    const bench = await serving();
    let release = (): void => undefined;
    bench.host.answer = () => new Promise((resolve) => (release = () => resolve(REPLY)));
    const call = outcome(bench.call("t"));
    await bench.settle();
    await bench.tables({ t: [PEER] });
    expect(bench.host.calls).toEqual(["t/a/m"]);
    release();
    expect(await call).toBe("done");
    await bench.settle();
    expect(bench.host.calls).toEqual(["t/a/m", "t/a deactivated"]);
    expect([await outcome(bench.call("t")), bench.sent]).toEqual(["done", ["t/a"]]);
  });
});

describe("refusals", () => {
  it("so many calls may wait to know who owns their actor", async () => {
    const bench = await ActorsBench.create();
    benches.push(bench);
    bench.actors.start();
    bench.actors.register(bench.hosted);
    const calls = Array.from({ length: WAITING_CALLS_MAX }, (_, id) => bench.call("t", { id: String(id) }));
    expect(await outcome(bench.call("t"))).toMatch(
      /^ERR_ACTOR_INVOKE_METHOD: error invoke actor method: 10000 calls wait already to know/,
    );
    await bench.tables({ t: [{ address: ME, appId: "app" }] });
    await Promise.all(calls);
    expect(await outcome(bench.call("t"))).toBe("done");
  });

  it("types of the workflow engine are nobody's", async () => {
    const bench = await serving();
    expect(() => bench.actors.checkAccess("dapr.internal.default.app.workflow")).toThrow("is reserved");
    expect(() => bench.actors.checkAccess("t")).not.toThrow();
  });

  it("a timer that cannot be made says why", async () => {
    const bench = await serving();
    const request = {
      type: "t",
      id: "a",
      name: "n",
      dueTime: "soon",
      period: "",
      ttl: "",
      callback: "",
      data: undefined,
    };
    expect(() => bench.actors.createTimer(request)).toThrow("error creating actor timer: error parsing timer due time");
  });

  it("before the start and after the end there is nothing", async () => {
    const bench = await ActorsBench.create();
    const closed = "ERR_ACTOR_RUNTIME_CLOSED: actor runtime is closed";
    expect(await outcome(bench.call("t"))).toBe(closed);
    await bench.serving();
    await bench.call("t");
    await bench.actors.close();
    expect([await outcome(bench.call("t")), bench.host.calls.at(-1)]).toEqual([closed, "t/a deactivated"]);
  });

  it("without a placement service every operation says so", async () => {
    const actors = new DisabledActors(1_000, silentLogger);
    expect(actors.status()).toMatchObject({ status: "DISABLED", hostReady: false });
    const none = { entry: { code: "ERR_ACTOR_NO_PLACEMENT", httpStatus: 400 } };
    const operations = [
      actors.call(),
      actors.callFromPeer(),
      actors.fireFromPeer(),
      actors.getState(),
      actors.transact(),
      ...Object.values(actors.reminders).map((operation) => operation()),
    ];
    for (const operation of operations) {
      await expect(operation).rejects.toMatchObject(none);
    }
    expect(() => actors.createTimer()).toThrow("placement service is not configured");
    expect(() => actors.checkAccess("t")).toThrow("placement service is not configured");
    await Promise.all([actors.unregister(), actors.close()]);
  });
});
