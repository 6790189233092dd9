import { expect, it } from "vitest";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { LEASE_CHECK_MS, STALL_MS } from "./limits.ts";
import { OwnershipLease } from "./ownership-lease.ts";

function setUp() {
  const clock = new VirtualClock(1_000);
  const lease = new OwnershipLease(clock);
  let over = 0;
  let held = 0;
  lease.watch(
    () => (over += 1),
    () => (held += 1),
  );
  return { clock, lease, overs: () => over, helds: () => held };
}

it("is held from when it was asked for, and over once", () => {
  const { clock, lease, overs } = setUp();
  expect(lease.holds()).toBe(false);
  clock.advance(1_000);
  lease.granted(1_500, 3_000);
  clock.advance(2_499);
  expect([lease.holds(), overs()]).toEqual([true, 0]);
  clock.advance(1);
  expect(lease.holds()).toBe(false);
  clock.advance(10 * LEASE_CHECK_MS);
  expect(overs()).toBe(1);
});

it("tells when it is granted after it was over, before anybody had noticed", () => {
  const { clock, lease, overs, helds } = setUp();
  lease.granted(1_000, 3_000);
  lease.granted(1_100, 3_000);
  expect(helds()).toBe(1);
  clock.advance(3_101);
  expect([lease.holds(), overs()]).toEqual([false, 0]);
  lease.granted(2_000, 3_000);
  expect([lease.holds(), overs(), helds()]).toEqual([true, 0, 2]);
});

it("ends no earlier because an older request is granted late", () => {
  const { clock, lease } = setUp();
  lease.granted(1_000, 3_000);
  lease.granted(500, 3_000);
  clock.advance(2_999);
  expect(lease.holds()).toBe(true);
});

it("goes on when the process stood still and finds that it was granted meanwhile", () => {
  const { clock, lease, overs } = setUp();
  lease.granted(1_000, 3_000);
  clock.stall(3_100);
  expect(lease.holds()).toBe(false);
  lease.granted(1_900, 3_000);
  clock.advance(1);
  expect([lease.holds(), overs()]).toEqual([true, 0]);
});

it("never ends within the process of the service", () => {
  const { clock, lease, overs } = setUp();
  lease.granted(1_000, Number.POSITIVE_INFINITY);
  clock.stall(1e9);
  clock.advance(1_000);
  expect([lease.holds(), overs()]).toEqual([true, 0]);
});

it("without grants is held until the process stands still", () => {
  const { clock, lease, overs } = setUp();
  lease.guard();
  clock.advance(10 * STALL_MS);
  clock.stall(STALL_MS - LEASE_CHECK_MS - 1);
  clock.advance(1);
  expect([lease.holds(), overs()]).toEqual([true, 0]);
  clock.stall(STALL_MS);
  expect(lease.holds()).toBe(false);
  clock.advance(1);
  expect(overs()).toBe(1);
});

it("is over silently when it is ended, and looks at nothing when it is closed", () => {
  const { clock, lease, overs } = setUp();
  lease.granted(1_000, 3_000);
  lease.end();
  clock.advance(10_000);
  expect([lease.holds(), overs()]).toEqual([false, 0]);
  lease.close();
  expect(clock.pendingTimers).toBe(0);
});
