import { expect, test } from "vitest";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { systemRandom } from "../kit/random.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { AddressCache } from "./address-cache.ts";

const target = { appId: "app", namespace: "ns" };

function setUp(more: Partial<NameResolver>) {
  const clock = new VirtualClock();
  const draws = [0, 0.99, 0.5];
  const cache = new AddressCache(clock, { ...systemRandom, next: () => draws.shift() ?? 0 });
  const resolver: NameResolver = {
    init: () => Promise.resolve(),
    close: () => Promise.resolve(),
    announce: () => Promise.resolve(),
    resolve: () => Promise.resolve("one:1"),
    ...more,
  };
  return { clock, resolve: async () => await cache.resolve(resolver, target, undefined), cache };
}

test("of several addresses one is drawn for each call, and they are asked for again after 20 s or a loss", async () => {
  let asked = 0;
  const { clock, resolve, cache } = setUp({
    resolveAll: () => {
      asked += 1;
      return Promise.resolve(["a:1", "b:1", "c:1"]);
    },
  });
  expect([await resolve(), await resolve(), await resolve()]).toEqual(["a:1", "c:1", "b:1"]);
  expect(asked).toBe(1);
  clock.advance(19_999);
  await resolve();
  expect(asked).toBe(1);
  clock.advance(1);
  await resolve();
  expect(asked).toBe(2);
  cache.forget(target);
  await resolve();
  expect(asked).toBe(3);
});

test("no address is kept by nobody, and a resolver of one address is asked every time", async () => {
  let asked = 0;
  const none = setUp({ resolveAll: () => Promise.resolve(((asked += 1), [])) });
  expect([await none.resolve(), await none.resolve(), asked]).toEqual(["", "", 2]);
  expect(await setUp({}).resolve()).toBe("one:1");
});
