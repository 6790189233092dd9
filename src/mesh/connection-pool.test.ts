import { expect, test } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { CALLS_PER_CONNECTION, CONNECTION_IDLE_MS, CONNECTIONS_PER_PEER_MAX, SWEEP_INTERVAL_MS } from "./limits.ts";

const target = { appId: "a", namespace: "n" };

function setUp() {
  const clock = new VirtualClock();
  const opened: string[] = [];
  const closed: GrpcClient[] = [];
  const pool = new ConnectionPool((address) => {
    opened.push(address);
    const client = {
      close: () => {
        closed.push(client);
        return Promise.resolve();
      },
    } as unknown as GrpcClient;
    return client;
  }, clock);
  return { clock, opened, closed, pool };
}

test("calls share a connection up to its limit, then open another, and last share the least busy", () => {
  const { pool, opened } = setUp();
  for (let call = 0; call < CALLS_PER_CONNECTION; call += 1) {
    pool.lease("x:1", target);
  }
  expect(opened).toHaveLength(1);
  pool.lease("x:1", target).release();
  expect(opened).toHaveLength(2);
  for (let call = 0; call < CALLS_PER_CONNECTION * CONNECTIONS_PER_PEER_MAX; call += 1) {
    pool.lease("x:1", target);
  }
  expect(opened).toHaveLength(CONNECTIONS_PER_PEER_MAX);
});

test("a connection is for one identity: another app at the same address gets its own", () => {
  const { pool, opened } = setUp();
  pool.lease("x:1", target);
  pool.lease("x:1", { ...target, appId: "b" });
  expect(opened).toEqual(["x:1", "x:1"]);
});

test("idle connections are closed, busy ones never", () => {
  const { pool, clock, closed } = setUp();
  const busy = pool.lease("x:1", target);
  pool.lease("y:1", target).release();
  clock.advance(CONNECTION_IDLE_MS + SWEEP_INTERVAL_MS);
  expect(closed).toHaveLength(1);
  expect(closed).not.toContain(busy.client);
  busy.release();
  clock.advance(CONNECTION_IDLE_MS - SWEEP_INTERVAL_MS);
  expect(closed).toHaveLength(1);
  clock.advance(2 * SWEEP_INTERVAL_MS);
  expect(closed).toContain(busy.client);
  expect(clock.pendingTimers).toBe(0);
});

test("a suspect connection is given to nobody and closed after its last call", () => {
  const { pool, closed } = setUp();
  const one = pool.lease("x:1", target);
  const other = pool.lease("x:1", target);
  expect(other.client).toBe(one.client);
  one.retire();
  expect(closed).toEqual([]);
  expect(pool.lease("x:1", target).client).not.toBe(one.client);
  other.release();
  expect(closed).toEqual([one.client]);
});

test("connections to an address that is given up are closed with their last call, and nobody gets them again", () => {
  const { pool, opened, closed } = setUp();
  const busy = pool.lease("x:1", target);
  const other = pool.lease("x:10", target);
  pool.lease("x:1", { ...target, appId: "b" }).release();
  pool.retireAt("x:1");
  expect(closed).toHaveLength(1);
  expect(pool.lease("x:1", target).client).not.toBe(busy.client);
  expect(pool.lease("x:10", target).client).toBe(other.client);
  expect(opened).toEqual(["x:1", "x:10", "x:1", "x:1"]);
  busy.release();
  expect(closed).toEqual([expect.anything(), busy.client]);
});

test("the end closes suspect connections too, whose calls are still under way", async () => {
  const { pool, closed } = setUp();
  const busy = pool.lease("x:1", target);
  pool.retireAt("x:1");
  await pool.close();
  expect(closed).toEqual([busy.client]);
});

test("after a renewal nobody gets a connection of before, and none is closed while it has calls", () => {
  const { pool, opened, closed } = setUp();
  const busy = pool.lease("x:1", target);
  pool.lease("y:1", target).release();
  pool.retireAll();
  expect(closed).toHaveLength(1);
  expect(pool.lease("x:1", target).client).not.toBe(busy.client);
  busy.release();
  expect(closed).toHaveLength(2);
  expect(opened).toEqual(["x:1", "y:1", "x:1"]);
});
