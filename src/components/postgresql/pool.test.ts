import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { WAITING_MAX } from "./limits.ts";
import { type PooledSession, SessionPool } from "./pool.ts";
import type { PoolSettings } from "./settings-types.ts";
import { postgresSettings } from "./settings.ts";

const COMMAND = { kind: "query", sql: "select 1", values: [] } as const;
const OUTCOME = { rows: "[]", rowsAffected: 0 };

/** A session whose commands end when the test says so. */
class FakeSession implements PooledSession {
  openedMs: number;
  idleSinceMs: number;
  lifetimeMs = Infinity;
  isOpen = true;
  probes = 0;
  isDead = false;
  readonly lose: () => void;
  #done = Promise.withResolvers<typeof OUTCOME>();

  constructor(nowMs: number, onLost: (session: PooledSession, error: Error) => void) {
    this.openedMs = nowMs;
    this.idleSinceMs = nowMs;
    this.lose = () => {
      this.isOpen = false;
      onLost(this, new Error("gone"));
    };
  }

  async run() {
    return await this.#done.promise;
  }

  finish(): void {
    this.#done.resolve(OUTCOME);
    this.#done = Promise.withResolvers();
  }

  async probe(): Promise<void> {
    this.probes += 1;
    if (this.isDead) throw new Error("no answer");
  }

  async end(): Promise<void> {
    this.isOpen = false;
  }

  destroy(): void {
    this.isOpen = false;
    this.#done.promise.catch(() => {});
    this.#done.reject(new Error("cut"));
  }
}

function setUp(pool: Partial<PoolSettings> = {}) {
  const clock = new VirtualClock();
  const sessions: FakeSession[] = [];
  const reports: string[] = [];
  const world = { isUp: true };
  const metadata = { connectionString: "postgres://u@h/db", timeout: "5s" };
  const base = postgresSettings(metadata, { name: "pg", logger: silentLogger, environment: {} });
  const settings = { ...base, pool: { ...base.pool, connectionsMax: 2, ...pool } };
  const deps = {
    clock,
    logger: silentLogger,
    random: { next: () => 0.5, bytes: () => new Uint8Array(), uuid: () => "" },
    report: (condition: string) => void reports.push(condition),
  };
  const one = new SessionPool(settings, deps, async (_signal, onLost) => {
    if (!world.isUp) throw new Error("refused");
    const session = new FakeSession(clock.monotonicMs(), onLost);
    sessions.push(session);
    return session;
  });
  return { pool: one, clock, sessions, reports, world };
}

/** Lets all that can go on now go on. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

async function opened(pool: Partial<PoolSettings> = {}) {
  const all = setUp(pool);
  await all.pool.open(new AbortController().signal);
  return all;
}

describe("SessionPool", () => {
  it("uses one session again and again, and the one that was used last first", async () => {
    const { pool, sessions } = await opened();
    for (let count = 0; count < 3; count += 1) {
      const run = pool.run(COMMAND, undefined);
      await settle();
      sessions[0]?.finish();
      expect(await run).toBe(OUTCOME);
    }
    expect(sessions).toHaveLength(1);
  });

  it("makes no more sessions than it may, and serves who waits in turn", async () => {
    const { pool, sessions } = await opened();
    const order: number[] = [];
    const runs = [0, 1, 2, 3, 4].map(async (n) => {
      await pool.run(COMMAND, undefined);
      order.push(n);
    });
    for (let round = 0; round < 5; round += 1) {
      await settle();
      for (const session of sessions) session.finish();
    }
    await Promise.all(runs);
    expect(sessions).toHaveLength(2);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it("refuses who has waited too long, and whoever comes when too many wait", async () => {
    const { pool, clock, sessions } = await opened({ connectionsMax: 1 });
    const busy = pool.run(COMMAND, undefined);
    await settle();
    const waiting = Array.from({ length: WAITING_MAX }, () => pool.run(COMMAND, undefined).catch(String));
    await settle();
    await expect(pool.run(COMMAND, undefined)).rejects.toThrow("10000 requests wait for one of 1 connections");
    clock.advance(5_000);
    expect(new Set(await Promise.all(waiting))).toEqual(
      new Set(["ComponentError: no connection within 5s: at most 1 may be open, 1 are in use"]),
    );
    sessions[0]?.finish();
    await busy;
  });

  it("gives a place up with the caller's signal", async () => {
    const { pool, sessions } = await opened({ connectionsMax: 1 });
    const busy = pool.run(COMMAND, undefined);
    await settle();
    const controller = new AbortController();
    const waiting = pool.run(COMMAND, controller.signal);
    await settle();
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    sessions[0]?.finish();
    await busy;
  });

  it("asks a session that was idle whether it is alive, and replaces a dead one", async () => {
    const { pool, clock, sessions } = await opened();
    clock.advance(1_001);
    const alive = pool.run(COMMAND, undefined);
    await settle();
    sessions[0]?.finish();
    await alive;
    expect(sessions.map(({ probes }) => probes)).toEqual([1]);
    clock.advance(1_001);
    sessions[0]!.isDead = true;
    const replaced = pool.run(COMMAND, undefined);
    await settle();
    expect(sessions.map(({ isOpen }) => isOpen)).toEqual([false, true]);
    sessions[1]?.finish();
    await replaced;
  });

  it("closes what was idle too long or lives too long, and keeps as many as it must", async () => {
    const { clock, sessions } = await opened({ connectionsMin: 1, idleMs: 100_000, lifetimeMs: 1_000_000 });
    clock.advance(300_000);
    await settle();
    expect(sessions.map(({ isOpen }) => isOpen)).toEqual([true]);
    clock.advance(780_000);
    await settle();
    expect(sessions.map(({ isOpen }) => isOpen)).toEqual([false, true]);
  });

  it("reports a loss, looks for the server until it is back, and reports that", async () => {
    const { pool, clock, sessions, reports, world } = await opened();
    world.isUp = false;
    sessions[0]?.lose();
    expect(reports).toEqual(["ready", "degraded"]);
    await expect(pool.run(COMMAND, undefined)).rejects.toThrow("refused");
    for (let round = 0; round < 5; round += 1) {
      clock.advance(5_000);
      await settle();
    }
    expect(sessions).toHaveLength(1);
    world.isUp = true;
    clock.advance(5_000);
    await settle();
    expect(reports.at(-1)).toBe("ready");
    expect(sessions).toHaveLength(2);
    await pool.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("waits for what is under way when it closes, then cuts it", async () => {
    const { pool, clock, sessions } = await opened();
    const [first, second] = [pool.run(COMMAND, undefined), pool.run(COMMAND, undefined).catch(String)];
    await settle();
    const closing = pool.close();
    sessions[0]?.finish();
    expect(await first).toBe(OUTCOME);
    await expect(pool.run(COMMAND, undefined)).rejects.toThrow("component is closed");
    clock.advance(5_000);
    expect(await second).toBe("Error: cut");
    await closing;
    expect(sessions.map(({ isOpen }) => isOpen)).toEqual([false, false]);
    expect(clock.pendingTimers).toBe(0);
  });
});
