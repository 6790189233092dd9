import { expect, it } from "vitest";
import { TIMER_DATA_BYTES_MAX, TIMERS_MAX, TIMERS_PER_ACTOR_MAX } from "./limits.ts";
import { TimerQuota } from "./timer-quota.ts";

const actor = (id: number) => ({ type: "t", id: String(id) });
const NONE = { data: undefined };

it("has room for so many timers of one actor, and for one in the place of another", () => {
  const quota = new TimerQuota();
  for (let timer = 0; timer < TIMERS_PER_ACTOR_MAX; timer++) {
    quota.check(actor(1), undefined, undefined);
    quota.take(actor(1), undefined);
  }
  expect(() => quota.check(actor(1), undefined, undefined)).toThrow(
    "10000 timers of the actor t||1 run already, which is the limit; delete some or spread the work over more actors",
  );
  quota.check(actor(1), undefined, NONE);
  quota.check(actor(2), undefined, undefined);
  quota.give(actor(1), undefined);
  quota.check(actor(1), undefined, undefined);
});

it("has room for so many timers of a sidecar", () => {
  const quota = new TimerQuota();
  for (let timer = 0; timer < TIMERS_MAX; timer++) {
    quota.take(actor(timer), undefined);
  }
  expect(() => quota.check(actor(-1), undefined, undefined)).toThrow(
    "100000 timers run in this sidecar already, which is the limit; add replicas",
  );
  quota.check(actor(0), undefined, NONE);
  quota.give(actor(0), undefined);
  quota.check(actor(-1), undefined, undefined);
});

it("has room for so many bytes of data", () => {
  const quota = new TimerQuota();
  const half = new Uint8Array(TIMER_DATA_BYTES_MAX / 2);
  quota.take(actor(1), half);
  quota.take(actor(2), half);
  expect(() => quota.check(actor(3), Buffer.from("1"), undefined)).toThrow(
    "the data of this sidecar's timers would have 268435457 bytes, and 268435456 is the limit",
  );
  quota.check(actor(1), half, { data: half });
  quota.give(actor(1), half);
  quota.check(actor(3), Buffer.from("1"), undefined);
});
