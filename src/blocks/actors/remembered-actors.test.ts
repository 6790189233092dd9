import { afterEach, describe, expect, it } from "vitest";
import { DEACTIVATION_LOST, DeactivationError } from "../../app/actor-host.ts";
import { AppUnreachableError } from "../../app/app-unreachable-error.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { FENCE_WAIT_MS } from "./limits.ts";
import { ActorsBench, type ActorsBenchOptions, callOf, ME, REPLY } from "./running-actors.fixture.ts";

const A = { type: "t", id: "a" };
const FENCE = "app||t||a||outrigger.fence";
/** As somebody else has left it. */
const WRITTEN = '"other-1"';

const benches: ActorsBench[] = [];
async function serving(options: ActorsBenchOptions = {}): Promise<ActorsBench> {
  const bench = await (await ActorsBench.create({ mayRemember: true, ...options })).serving();
  benches.push(bench);
  return bench;
}
afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
});

/** The store of an actor that was written before. */
async function servingWritten(options?: ActorsBenchOptions): Promise<ActorsBench> {
  const bench = await serving(options);
  bench.store.rows.set(FENCE, WRITTEN);
  return bench;
}

const lost = (): never => {
  const cause = new AppUnreachableError("connection refused", { aborted: false });
  throw new DeactivationError(cause.message, DEACTIVATION_LOST, cause);
};
const write = (bench: ActorsBench): Promise<void> =>
  bench.actors.transact(A, [
    { kind: "upsert", key: "k", value: Buffer.from("1"), valueIsJson: true, etag: undefined, metadata: {} },
  ]);

describe("an app that may be older than its sidecar", () => {
  it("is told to forget an actor that was written, before its first call in this sidecar and no other", async () => {
    const bench = await servingWritten();
    await bench.call("t");
    await bench.call("t");
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m", "t/a/m"]);
  });

  it("is not told of one that was never written, whose row is not read a second time", async () => {
    const bench = await serving();
    bench.host.answer = async () => {
      await write(bench);
      return REPLY;
    };
    await bench.call("t");
    expect(bench.host.calls).toEqual(["t/a/m"]);
    expect(bench.store.calls).toEqual([`get ${FENCE}`, "transactFenced"]);
  });

  it("cannot commit what it remembers of one that was written for the first time since", async () => {
    const bench = await serving();
    bench.host.answer = async () => {
      bench.store.rows.set(FENCE, WRITTEN);
      await write(bench);
      return REPLY;
    };
    await expect(bench.call("t")).rejects.toThrow("another activation of the actor has written");
  });

  it("is told before a reminder, too, once for all that come together", async () => {
    const bench = await servingWritten();
    const answer = Promise.withResolvers<void>();
    bench.host.onDeactivate = () => answer.promise;
    const tick = { kind: "reminder", name: "r", dueTime: "", period: "", callback: "", data: undefined } as const;
    const fired = bench.actors.fireFromPeer({ ...A, ...tick, expiresMs: undefined });
    const called = bench.call("t");
    await bench.settle();
    expect(bench.host.calls).toEqual(["t/a deactivated"]);
    answer.resolve();
    await Promise.all([fired, called]);
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a reminder r", "t/a/m"]);
  });

  it("cannot write before it has forgotten, as from what it does when it is deactivated", async () => {
    const bench = await servingWritten();
    const written: unknown[] = [];
    bench.host.onDeactivate = async () => {
      await write(bench).catch((error: unknown) => written.push((error as Error).message));
    };
    await bench.call("t");
    expect(written).toEqual([expect.stringContaining("actor instance is missing")]);
    expect(bench.store.calls).not.toContain("transactFenced");
  });

  it("may not know the actor, and say so", async () => {
    const bench = await servingWritten();
    bench.host.onDeactivate = () => Promise.reject(new DeactivationError("what?", "status_code_500"));
    await bench.call("t");
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m"]);
  });

  it("gets no call when it cannot be told, and is told with the next one", async () => {
    const bench = await servingWritten();
    bench.host.onDeactivate = lost;
    const call = bench.call("t");
    const failed = expect(call).rejects.toThrow("connection refused");
    await bench.pass(5);
    await failed;
    expect(new Set(bench.host.calls)).toEqual(new Set(["t/a deactivated"]));
    expect(bench.actors.status().active).toEqual([{ type: "t", count: 0 }]);
    bench.host.calls.length = 0;
    bench.host.onDeactivate = () => Promise.resolve();
    await bench.call("t");
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m"]);
  });

  it("has 30 seconds to answer, as ever", async () => {
    const bench = await servingWritten();
    bench.host.onDeactivate = () => new Promise(() => undefined);
    const call = bench.call("t");
    await bench.pass(29);
    expect(bench.host.calls).toEqual(["t/a deactivated"]);
    await bench.pass(1);
    await call;
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m"]);
  });

  it("is told when the store cannot say whether the actor was written", async () => {
    const bench = await serving();
    bench.store.mishap = () => "lost";
    await bench.call("t");
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m"]);
  });

  it("is told when the store does not say so soon", async () => {
    const bench = await serving();
    bench.store.pass = () => new Promise(() => undefined);
    const call = bench.call("t");
    await bench.pass(FENCE_WAIT_MS / 1_000);
    await call;
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m"]);
  });

  it("is always told where the store cannot fence", async () => {
    const bench = await serving({ fenced: false });
    await bench.call("t");
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m"]);
    expect(bench.store.calls).toEqual([]);
  });

  it("is not told again when the actor has been deactivated by this sidecar", async () => {
    const bench = await servingWritten({ settings: { idleMs: 1_000 } });
    await bench.call("t");
    await bench.pass(2);
    await bench.call("t");
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m", "t/a deactivated", "t/a/m"]);
  });

  it("does not keep a caller that gives up", async () => {
    const bench = await servingWritten();
    bench.host.onDeactivate = () => new Promise(() => undefined);
    const signal = new Cancellation();
    const call = bench.call("t", { signal });
    await bench.settle();
    signal.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });

  it("does not keep an actor that moves meanwhile", async () => {
    const bench = await servingWritten();
    bench.host.onDeactivate = () => new Promise(() => undefined);
    const call = bench.actors.call(callOf("t"));
    await bench.settle();
    await bench.tables({ t: [{ address: "peer:2", appId: "peer" }] });
    await bench.pass(7);
    expect(Buffer.from((await call).body).toString()).toBe("done");
    expect(bench.sent).toEqual(["t/a"]);
  });
});

describe("an app that is not older than its sidecar", () => {
  it("is told of nothing, and no row is read for it", async () => {
    const bench = await servingWritten({ mayRemember: false });
    await bench.call("t");
    expect([bench.host.calls, bench.store.calls]).toEqual([["t/a/m"], []]);
  });

  it("is told of the one actor whose deactivation it could not be told", async () => {
    const bench = await servingWritten({ mayRemember: false });
    await bench.call("t");
    bench.host.onDeactivate = lost;
    await bench.tables({});
    await bench.pass(5);
    bench.host.calls.length = 0;
    bench.host.onDeactivate = () => Promise.resolve();
    await bench.tables({ t: [{ address: ME, appId: "app" }] });
    await bench.call("t");
    await bench.call("t", { id: "b" });
    expect(bench.host.calls).toEqual(["t/a deactivated", "t/a/m", "t/b/m"]);
  });
});
