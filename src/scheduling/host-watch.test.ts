import { expect, it } from "vitest";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { GrpcError } from "../net/grpc/status.ts";
import { HostWatch } from "./host-watch.ts";
import { calmRandom, FakeScheduler, hostsMessage, settle, unreachable } from "./scheduling.fixture.ts";

function setUp() {
  const asked: string[] = [];
  const schedulers: FakeScheduler[] = [];
  const found: (readonly string[])[] = [];
  const clock = new VirtualClock();
  const watch = new HostWatch({
    addresses: ["one:1", "two:2"],
    connect: (address) => {
      asked.push(address);
      const scheduler = new FakeScheduler();
      schedulers.push(scheduler);
      return scheduler;
    },
    onHosts: (addresses) => void found.push(addresses),
    clock,
    random: calmRandom,
    logger: silentLogger,
  });
  watch.start();
  const last = (): FakeScheduler => schedulers.at(-1) as FakeScheduler;
  return { asked, schedulers, found, clock, watch, last };
}

it("tells of all schedulers, and again after every change", async () => {
  const { asked, found, watch, last } = setUp();
  last().lastStream.push(hostsMessage("a:1"));
  last().lastStream.push(hostsMessage("a:1", "b:2"));
  await settle();
  expect(asked).toEqual(["two:2"]);
  expect(found).toEqual([["a:1"], ["a:1", "b:2"]]);
  await watch.close();
  expect(last().isClosed).toBe(true);
});

it("asks again after a pause when the stream is lost", async () => {
  const { asked, schedulers, found, clock, watch, last } = setUp();
  last().lastStream.end(unreachable());
  await settle();
  expect(schedulers[0]?.isClosed).toBe(true);
  clock.advance(500);
  await settle();
  last().lastStream.push(hostsMessage("a:1"));
  last().lastStream.end();
  await settle();
  clock.advance(500);
  await settle();
  expect(asked.length).toBe(3);
  expect(found).toEqual([["a:1"]]);
  await watch.close();
});

it("takes the addresses that it was given for all when schedulers cannot tell", async () => {
  const { asked, found, clock, watch, last } = setUp();
  last().lastStream.end(new GrpcError(GRPC_STATUS.UNIMPLEMENTED, "unknown method WatchHosts"));
  await settle();
  expect(found).toEqual([["one:1", "two:2"]]);
  clock.advance(60_000);
  await settle();
  expect(asked.length).toBe(1);
  await watch.close();
});

it("goes on to the next address when one makes no sense", async () => {
  const asked: string[] = [];
  const clock = new VirtualClock();
  const watch = new HostWatch({
    addresses: ["nonsense"],
    connect: (address) => {
      asked.push(address);
      throw new Error("there is no port in nonsense");
    },
    onHosts: () => undefined,
    clock,
    random: calmRandom,
    logger: silentLogger,
  });
  watch.start();
  await settle();
  clock.advance(500);
  await settle();
  expect(asked.length).toBe(2);
  await watch.close();
});
