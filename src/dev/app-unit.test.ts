import { describe, expect, it } from "vitest";
import { SILENT_MS, UP_WITHOUT_PORT_MS } from "./app-unit.ts";
import { UnitBench, unitThatIsUp } from "./app-unit.fixture.ts";

describe("the start", () => {
  it("brings up the sidecar, then the app, and is up when the app listens and is attended", async () => {
    const bench = new UnitBench();
    await bench.pass(0);
    expect(bench.unit.state).toBe("starting");
    expect(bench.sidecar.ports).toEqual({ http: 3500, grpc: 40_001, internalGrpc: 40_002, metrics: 40_003 });
    expect(bench.sidecar.calls).toEqual(["attend"]);
    bench.listens = true;
    await bench.pass(100);
    expect(bench.unit.state).toBe("up");
    expect(bench.told("app-up")).toHaveLength(1);
  });

  it("starts no app before the sidecar's APIs are open", async () => {
    const bench = new UnitBench();
    bench.opens = false;
    await bench.pass(3_000);
    expect(bench.apps).toHaveLength(0);
    bench.sidecar.open();
    await bench.pass(0);
    expect(bench.apps).toHaveLength(1);
  });

  it("takes an app without a port as up when it has lived for two seconds", async () => {
    const bench = new UnitBench({ appPort: undefined });
    await bench.pass(UP_WITHOUT_PORT_MS - 100);
    expect(bench.unit.state).toBe("starting");
    await bench.pass(100);
    expect(bench.unit.state).toBe("up");
  });

  it("runs a sidecar alone where there is no command", async () => {
    const bench = new UnitBench({ command: [], appPort: undefined });
    await bench.pass(0);
    expect(bench.unit.state).toBe("up");
    expect(bench.apps).toHaveLength(0);
  });

  it("says once that the app does not listen after five seconds, and goes on waiting", async () => {
    const bench = new UnitBench();
    await bench.pass(SILENT_MS - 100);
    expect(bench.told("app-silent")).toHaveLength(0);
    await bench.pass(20_000);
    expect(bench.told("app-silent")).toEqual([{ kind: "app-silent", port: 3000, waitedMs: SILENT_MS }]);
    expect(bench.unit.state).toBe("silent");
    bench.listens = true;
    await bench.pass(100);
    expect(bench.unit.state).toBe("up");
  });
});

describe("ports that are taken", () => {
  it("starts neither sidecar nor app while the app's port is somebody else's, and says whose", async () => {
    const bench = new UnitBench();
    bench.taken.set(3000, "pid 7 (other)");
    await bench.pass(5_000);
    expect(bench.unit.state).toBe("blocked");
    expect([bench.sidecars.length, bench.apps.length]).toEqual([0, 0]);
    expect(bench.told("port-taken")).toEqual([{ kind: "port-taken", port: 3000, use: "app", owner: "pid 7 (other)" }]);
    bench.taken.clear();
    await bench.pass(1_000);
    expect(bench.told("port-free")).toHaveLength(1);
    expect(bench.unit.state).toBe("starting");
  });

  it("waits for a planned port of the sidecar", async () => {
    const bench = new UnitBench();
    bench.taken.set(3500, "pid 7 (other)");
    await bench.pass(1_000);
    expect(bench.told("port-taken")).toEqual([{ kind: "port-taken", port: 3500, use: "http", owner: "pid 7 (other)" }]);
    bench.taken.clear();
    await bench.pass(1_000);
    expect(bench.sidecar.ports.http).toBe(3500);
  });

  it("ends a unit that does not keep up", async () => {
    const bench = new UnitBench({}, { keepsUp: false });
    bench.taken.set(3500, "pid 7 (other)");
    await bench.settle();
    expect(await bench.done).toEqual({ app: undefined, failure: "port 3500 is taken" });
  });
});

describe("an app that ends", () => {
  it("is started again after a second when it had been up, and twice as late each time it fails soon after", async () => {
    const bench = await unitThatIsUp();
    const pauses: number[] = [];
    for (let round = 0; round < 7; round++) {
      bench.app.exit(1);
      await bench.settle();
      pauses.push(bench.told("app-ended").at(-1)!.pauseMs);
      expect(bench.unit.state).toBe("pausing");
      await bench.pass(pauses.at(-1)! - 100);
      expect(bench.apps).toHaveLength(round + 1);
      await bench.pass(100);
      expect(bench.apps).toHaveLength(round + 2);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it("is forgiven its failures when it has been up for ten seconds", async () => {
    const bench = await unitThatIsUp();
    for (const upMs of [0, 0, 10_000]) {
      await bench.pass(upMs);
      bench.app.exit(1);
      await bench.pass(5_000);
    }
    expect(bench.told("app-ended").map((event) => event.pauseMs)).toEqual([1_000, 2_000, 1_000]);
  });

  it("waits for a change of its source when it fails before it was up, and tells its last words", async () => {
    const bench = new UnitBench();
    await bench.settle();
    for (let line = 1; line <= 12; line++) {
      bench.app.say(`line ${line}`);
    }
    bench.app.exit(1);
    await bench.pass(60_000);
    expect(bench.apps).toHaveLength(1);
    expect(bench.unit.state).toBe("needs-change");
    const [ended] = bench.told("app-ended");
    expect(ended).toMatchObject({ cameUp: false, next: "change", end: { code: 1 } });
    expect(ended?.lastLines).toEqual(Array.from({ length: 10 }, (_, at) => `line ${at + 3}`));
    bench.unit.sourceChanged(["/app/app.js"]);
    await bench.settle();
    expect(bench.apps).toHaveLength(2);
  });

  it.each([
    ["a signal", (bench: UnitBench) => bench.app.die("SIGKILL")],
    ["a shell's exit code for one", (bench: UnitBench) => bench.app.exit(137)],
  ])("is started again when %s ended it, up or not", async (_how, end) => {
    const bench = new UnitBench();
    await bench.settle();
    end(bench);
    await bench.pass(1_000);
    expect(bench.apps).toHaveLength(2);
  });

  it("has finished with exit code 0", async () => {
    const bench = await unitThatIsUp();
    bench.app.exit(0);
    await bench.pass(60_000);
    expect(bench.apps).toHaveLength(1);
    expect(bench.unit.state).toBe("finished");
  });

  it("leaves its sidecar, which attends the next one", async () => {
    const bench = await unitThatIsUp();
    bench.app.exit(1);
    await bench.pass(1_000);
    expect(bench.sidecars).toHaveLength(1);
    expect(bench.sidecar.calls).toEqual(["attend", "appLeft", "attend"]);
  });

  it("takes along a sidecar that does not outlive it", async () => {
    const bench = await unitThatIsUp({}, {}, false);
    bench.app.exit(1);
    await bench.settle();
    expect(bench.sidecars[0]?.calls).toEqual(["attend", "stop 5000"]);
    await bench.pass(1_100);
    expect([bench.sidecars.length, bench.apps.length]).toEqual([2, 2]);
    expect(bench.sidecars[1]?.ports).toEqual(bench.sidecars[0]?.ports);
  });
});

describe("changes", () => {
  it("of the source restart the app alone", async () => {
    const bench = await unitThatIsUp();
    bench.unit.sourceChanged(["/app/app.js"]);
    await bench.pass(100);
    expect(bench.apps.map((app) => app.stops)).toEqual([[500], []]);
    expect(bench.sidecar.calls).toEqual(["attend", "appLeft", "attend"]);
    expect(bench.told("app-ended")).toHaveLength(0);
    expect(bench.unit.state).toBe("up");
  });

  it("of the resources are taken over by the sidecar that is up", async () => {
    const bench = await unitThatIsUp();
    const state = await bench.unit.resourcesChanged(["/res"]);
    await bench.pass(100);
    expect(state).toBe(bench.sidecar.reloads);
    expect([bench.sidecars.length, bench.apps.length]).toEqual([1, 1]);
    expect(bench.sidecar.calls).toEqual(["attend", "reload"]);
    expect(bench.told("restarting")).toEqual([]);
  });

  it("of the resources start an app again that had failed for them", async () => {
    const bench = new UnitBench();
    await bench.settle();
    bench.app.exit(1);
    await bench.settle();
    await bench.unit.resourcesChanged(["/res"]);
    await bench.settle();
    expect([bench.apps.length, bench.unit.state]).toEqual([1, "needs-change"]);
    const changed = [{ kind: "Component", name: "store", change: "added" }] as const;
    bench.sidecar.reloads = { rounds: 2, changes: 1, changed, problems: [] };
    await bench.unit.resourcesChanged(["/res"]);
    await bench.settle();
    expect([bench.sidecars.length, bench.apps.length]).toEqual([1, 2]);
  });

  it.each<[string, (bench: UnitBench) => unknown]>([
    ["a Configuration", ({ unit }) => unit.restartSidecar(["/config.yaml"])],
    [
      "the resources of a sidecar that follows none",
      ({ unit, sidecar }) => {
        sidecar.reloads = undefined;
        return unit.resourcesChanged(["/res"]);
      },
    ],
    [
      "the resources of a sidecar that does not answer",
      ({ unit, sidecar }) => {
        sidecar.reload = () => Promise.reject(new Error("no answer"));
        return unit.resourcesChanged(["/res"]);
      },
    ],
  ])("of %s restart the sidecar alone, on its ports", async (_what, change) => {
    const bench = await unitThatIsUp();
    await change(bench);
    await bench.pass(100);
    expect(bench.apps).toHaveLength(1);
    expect(bench.sidecars[0]?.calls.at(-1)).toBe("stop 5000");
    expect(bench.sidecars[1]?.calls).toEqual(["attend"]);
    expect(bench.sidecars[1]?.ports).toEqual(bench.sidecars[0]?.ports);
    expect(bench.told("restarting")).toMatchObject([{ what: "sidecar" }]);
    expect(bench.unit.state).toBe("up");
  });

  it("during a start begin it anew", async () => {
    const bench = new UnitBench();
    bench.opens = false;
    await bench.settle();
    void bench.unit.resourcesChanged(["/res"]);
    bench.opens = true;
    await bench.settle();
    expect(bench.sidecars.map((sidecar) => sidecar.calls)).toEqual([["stop 5000"], ["attend"]]);
    expect(bench.apps).toHaveLength(1);
  });
});

describe("a sidecar", () => {
  it("that does not start is tried again, later each time, and at once when its resources change", async () => {
    const bench = new UnitBench();
    bench.opens = false;
    for (const [round, retryMs] of [1_000, 2_000, 4_000].entries()) {
      await bench.settle();
      expect(bench.sidecars).toHaveLength(round + 1);
      bench.sidecar.fail("no such component");
      await bench.settle();
      expect(bench.told("sidecar-failed").at(-1)).toEqual({
        kind: "sidecar-failed",
        reason: "no such component",
        retryMs,
      });
      await bench.pass(retryMs);
    }
    bench.sidecar.fail("no such component");
    await bench.settle();
    bench.opens = true;
    void bench.unit.resourcesChanged([]);
    await bench.settle();
    expect(bench.apps).toHaveLength(1);
  });

  it("that ends is started again beside the app that runs", async () => {
    const bench = await unitThatIsUp({}, {}, false);
    bench.sidecar.end("ended by SIGKILL");
    await bench.pass(1_100);
    expect([bench.sidecars.length, bench.apps.length]).toEqual([2, 1]);
    expect(bench.sidecar.calls).toEqual(["attend"]);
    expect(bench.unit.state).toBe("up");
  });

  it("brings an app along that had failed without it", async () => {
    const bench = new UnitBench();
    await bench.settle();
    bench.app.exit(1);
    await bench.settle();
    bench.sidecar.end("ended by SIGKILL");
    await bench.pass(1_000);
    expect([bench.sidecars.length, bench.apps.length]).toEqual([2, 2]);
  });
});

it("keeps its ports when app and sidecar end together, and picks others when a sidecar cannot use them", async () => {
  const bench = await unitThatIsUp({}, {}, false);
  bench.app.die("SIGKILL");
  bench.sidecar.end("ended by SIGKILL");
  await bench.pass(2_000);
  expect(bench.sidecar.ports).toEqual(bench.sidecars[0]?.ports);
  const other = new UnitBench();
  other.opens = false;
  await other.settle();
  other.sidecar.fail("the port is taken");
  await other.pass(1_000);
  expect(other.sidecar.ports).toEqual({ http: 3500, grpc: 40_004, internalGrpc: 40_005, metrics: 40_006 });
});

describe("the end", () => {
  it.each(["starting", "up", "pausing"])("stops the app, then the sidecar, when it is %s", async (state) => {
    const bench = new UnitBench();
    bench.listens = state !== "starting";
    await bench.pass(100);
    if (state === "pausing") {
      bench.app.exit(1);
      await bench.settle();
    }
    expect(bench.unit.state).toBe(state);
    bench.unit.stop();
    await bench.done;
    expect(bench.app.stops).toEqual(state === "pausing" ? [] : [500]);
    expect(bench.sidecar.calls.at(-1)).toBe("stop 250");
    expect(bench.unit.state).toBe("stopped");
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("without grace kills both", async () => {
    const bench = await unitThatIsUp();
    bench.unit.kill();
    await bench.done;
    expect(bench.app.stops[0]).toBe(0);
    expect(bench.sidecar.calls).toContain("stop 0");
  });

  it("comes with the app's end where the unit does not keep up", async () => {
    const bench = await unitThatIsUp({}, { keepsUp: false });
    bench.app.exit(3);
    expect(await bench.done).toEqual({ app: { code: 3, signal: null }, failure: undefined });
    expect(bench.sidecar.calls.at(-1)).toBe("stop 250");
  });

  it("comes with the sidecar's end where the unit does not keep up", async () => {
    const bench = await unitThatIsUp({}, { keepsUp: false });
    bench.sidecar.end("it crashed");
    expect((await bench.done).failure).toBe("it crashed");
    expect(bench.app.stops).toEqual([500]);
  });

  it("hurries a sidecar that is being started anew", async () => {
    const bench = await unitThatIsUp();
    let stopped: () => void = () => undefined;
    bench.sidecar.stop = async (graceMs) => {
      bench.sidecar.calls.push(`stop ${graceMs}`);
      await new Promise<void>((resolve) => (stopped = resolve));
    };
    bench.unit.restartSidecar([]);
    await bench.settle();
    bench.unit.stop();
    expect(bench.sidecar.calls).toEqual(["attend", "stop 5000", "stop 250"]);
    stopped();
  });

  it("ignores changes that come after it was asked for", async () => {
    const bench = await unitThatIsUp();
    bench.unit.stop();
    bench.unit.sourceChanged([]);
    await bench.unit.resourcesChanged([]);
    await bench.done;
    expect([bench.sidecars.length, bench.apps.length]).toEqual([1, 1]);
  });
});
