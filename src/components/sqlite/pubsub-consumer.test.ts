import { beforeEach, describe, expect, test } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ConsumerOptions } from "./pubsub-consumer.ts";
import { pass, settled, SharedFile, SimulatedProcess } from "./pubsub-process.fixture.ts";

/** `processingTimeout` of the processes. */
const LEASE_MS = 3_000;

let clock: VirtualClock;
let file: SharedFile;
let processes: SimulatedProcess[] = [];
let warnings: string[] = [];

beforeEach(async () => {
  clock = new VirtualClock();
  file = new SharedFile();
  processes = [];
  warnings = [];
  await file.prepare();
});

function start(options: Partial<ConsumerOptions> = {}): SimulatedProcess {
  const logger: Logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  const process = new SimulatedProcess(file, clock, options, undefined, logger);
  processes.push(process);
  process.consumer.wake();
  return process;
}

async function publish(...texts: string[]): Promise<void> {
  for (const text of texts) {
    await file.publish(text, clock.now());
  }
  for (const process of processes) {
    process.poll();
  }
  await settled();
}

const wait = (ms: number): Promise<void> => pass(clock, ms, processes);
const writes = (): number => file.engine.stats.writes;

describe("a living consumer", () => {
  test("keeps what is at work and what waits for as long as it takes", async () => {
    const one = start({ handlersMax: 1 });
    await publish("1", "2");
    const two = start({ handlersMax: 1 });
    await wait(10 * LEASE_MS);
    expect([one.started, two.started]).toEqual([["1"], []]);
    one.running.get("1")?.done();
    await settled();
    expect(one.started).toEqual(["1", "2"]);
    one.running.get("2")?.done();
    await settled();
    expect([file.deliveries(), file.stored]).toEqual([[], 0]);
  });

  test("gives back at once what its own consumer has left, without an attempt counted", async () => {
    const one = start({ deliveriesMax: 1, handlersMax: 1 });
    await publish("1");
    const two = start({ deliveriesMax: 1 });
    one.pause();
    one.running.get("1")?.leave();
    await settled();
    one.resume();
    await settled();
    two.poll();
    await settled();
    expect([...one.started, ...two.started]).toEqual(["1", "1"]);
    expect([file.reasons(), warnings]).toEqual([[], []]);
  });

  test("renews everything in one write every third of processingTimeout", async () => {
    start({ handlersMax: 4 });
    await publish("1", "2", "3", "4", "5", "6", "7", "8");
    const before = writes();
    await wait(10 * LEASE_MS);
    expect(writes() - before).toBe(30);
    const dueMs = clock.now() + LEASE_MS;
    expect(file.deliveries().map((delivery) => delivery.dueMs)).toEqual(Array(8).fill(dueMs));
  });

  test("writes nothing while it holds nothing, and runs no timer", async () => {
    const one = start();
    await publish("1");
    await wait(LEASE_MS);
    one.running.get("1")?.done();
    await wait(LEASE_MS);
    const before = writes();
    await wait(10 * LEASE_MS);
    expect([writes() - before, clock.pendingTimers]).toEqual([0, 0]);
  });

  test("renews along with what it writes anyway", async () => {
    const one = start({ handlersMax: 8 });
    await publish("long");
    const before = writes();
    let others = 0;
    for (; others < 24; others += 1) {
      await publish(`${others}`);
      one.running.get(`${others}`)?.done();
      await wait(500);
    }
    expect(one.started).toHaveLength(1 + others);
    const [delivery] = file.deliveries();
    expect(delivery?.dueMs).toBeGreaterThan(clock.now() + LEASE_MS / 2);
    expect(writes() - before).toBe(3 * others);
  });

  test("goes on trying while the database takes nothing, and keeps what nobody else took", async () => {
    const one = start();
    await publish("1");
    one.setFailing(true);
    await wait(2 * LEASE_MS);
    one.setFailing(false);
    await wait(LEASE_MS / 3);
    const two = start();
    await wait(LEASE_MS);
    one.running.get("1")?.done();
    await settled();
    expect([one.started, two.started, file.deliveries()]).toEqual([["1"], [], []]);
    expect(warnings).toEqual([]);
  });

  test("tries again after a second, before the next renewal is due", async () => {
    const one = start({ processingTimeoutMs: 2 * LEASE_MS });
    await publish("1");
    one.setFailing(true);
    await wait(2_500);
    one.setFailing(false);
    await wait(500);
    expect(file.deliveries()).toMatchObject([{ dueMs: clock.now() + 2 * LEASE_MS }]);
  });

  test("starts what comes back before what waits and was published later", async () => {
    const one = start({ handlersMax: 2 });
    await publish("1", "2", "3");
    one.running.get("1")?.fail();
    await settled();
    await publish("4");
    await wait(200);
    expect(one.started).toEqual(["1", "2", "3"]);
    one.running.get("2")?.done();
    await settled();
    expect(one.started).toEqual(["1", "2", "3", "1"]);
  });

  test("renews while it closes, until its handlers are through", async () => {
    const one = start();
    await publish("1");
    const closed = one.consumer.close();
    const two = start();
    await wait(3 * LEASE_MS);
    expect(two.started).toEqual([]);
    one.running.get("1")?.done();
    await closed;
    expect([file.deliveries(), file.stored]).toEqual([[], 0]);
  });
});

describe("an owner that is gone", () => {
  test("has its messages handed out again after processingTimeout, in their order", async () => {
    const one = start({ handlersMax: 1 });
    await publish("1", "2");
    await wait(10 * LEASE_MS);
    one.kill();
    const two = start({ handlersMax: 2 });
    await wait((LEASE_MS * 2) / 3 - 100);
    expect(two.started).toEqual([]);
    await wait(LEASE_MS / 3 + 100);
    expect(two.started).toEqual(["1", "2"]);
  });

  test("is noticed also by one that was writing when it last looked", async () => {
    const one = start({ handlersMax: 1 });
    await publish("1", "2");
    const two = start();
    await publish("3");
    await wait(LEASE_MS - 100);
    two.running.get("3")?.done();
    await Promise.resolve();
    clock.advance(100);
    await settled();
    one.kill();
    await pass(clock, LEASE_MS, []);
    expect(two.started).toEqual(["3", "1", "2"]);
  });

  test("and used up its deliveries leaves a dead letter that says so", async () => {
    const one = start({ deliveriesMax: 1 });
    await publish("1");
    one.kill();
    const two = start({ deliveriesMax: 1 });
    await wait(LEASE_MS);
    expect([two.started, file.deliveries(), file.stored]).toEqual([[], [], 0]);
    expect(file.reasons()).toEqual(["whoever took it last did not settle it within processingTimeout"]);
  });
});

describe("an owner that stood still for longer than processingTimeout", () => {
  test("settles nothing that another has taken, and says so", async () => {
    const one = start({ handlersMax: 1 });
    await publish("1", "2");
    const two = start();
    one.pause();
    await wait(LEASE_MS);
    expect(two.started).toEqual(["1", "2"]);
    one.resume();
    one.running.get("1")?.done();
    await settled();
    expect(file.deliveries()).toMatchObject([{ attempts: 2 }, { attempts: 2 }]);
    expect(one.started).toEqual(["1"]);
    expect(warnings).toEqual([
      "topic t: 2 messages in hand belong to this sidecar no more: it stood still or could not write for longer than processingTimeout (3000 ms), or their subscription was deleted",
    ]);
    await wait(2 * LEASE_MS);
    two.running.get("1")?.done();
    two.running.get("2")?.done();
    await settled();
    expect([file.deliveries(), file.stored, one.started]).toEqual([[], 0, ["1"]]);
  });

  test.each(["done", "fail"] as const)("settles nothing even when its handler is %s before it notices", async (how) => {
    const one = start({ deliveriesMax: 1 });
    await publish("1");
    const two = start();
    one.pause();
    await wait(LEASE_MS);
    one.running.get("1")?.[how]();
    await settled();
    one.resume();
    await settled();
    expect(two.started).toEqual(["1"]);
    expect([file.deliveries(), file.reasons()]).toMatchObject([[{ attempts: 2 }], []]);
    two.running.get("1")?.done();
    await settled();
    expect(file.deliveries()).toEqual([]);
  });

  test("goes on with what nobody has taken, without a second delivery", async () => {
    const one = start({ handlersMax: 1 });
    await publish("1", "2");
    one.pause();
    await wait(4 * LEASE_MS);
    one.resume();
    await settled();
    one.running.get("1")?.done();
    await settled();
    expect(one.started).toEqual(["1", "2"]);
    one.running.get("2")?.done();
    await settled();
    expect([file.deliveries(), warnings]).toEqual([[], []]);
  });
});

describe("a handler that never ends", () => {
  const handlerTimeoutMs = 4 * LEASE_MS;

  test("loses its message after handlerTimeout to another attempt, which counts", async () => {
    const one = start({ handlerTimeoutMs });
    await publish("1");
    const first = one.running.get("1");
    await wait(handlerTimeoutMs - 1_000);
    expect(one.started).toEqual(["1"]);
    await wait(1_200);
    expect(one.started).toEqual(["1", "1"]);
    expect(warnings).toEqual([
      "topic t: message 1 goes to another attempt: its handler did not end within handlerTimeout (12000 ms)",
    ]);
    first?.done();
    await wait(LEASE_MS);
    expect(file.deliveries()).toMatchObject([{ attempts: 2 }]);
  });

  test("holds nothing back from other sidecars when all of a sidecar's handlers are like that", async () => {
    const one = start({ handlersMax: 1, handlerTimeoutMs });
    await publish("1", "2", "3");
    const two = start({ handlersMax: 1 });
    await wait(100);
    two.running.get("3")?.done();
    await wait(handlerTimeoutMs + 500);
    expect([one.started, two.started]).toEqual([["1"], ["3", "2"]]);
    two.running.get("2")?.done();
    await wait(500);
    two.running.get("1")?.done();
    await publish("4");
    await wait(500);
    expect([one.started, two.started]).toEqual([["1"], ["3", "2", "1", "4"]]);
  });

  test("is parked once its deliveries are used up", async () => {
    start({ handlerTimeoutMs, deliveriesMax: 1 });
    await publish("1");
    await wait(handlerTimeoutMs + LEASE_MS);
    expect([file.deliveries(), file.stored]).toEqual([[], 0]);
    expect(file.reasons()).toEqual(["its handler did not end within handlerTimeout (12000 ms)"]);
  });

  test("keeps its message for good when handlerTimeout is 0", async () => {
    const one = start({ handlerTimeoutMs: 0 });
    await publish("1");
    await wait(20 * LEASE_MS);
    expect([one.started, file.deliveries()]).toMatchObject([["1"], [{ attempts: 1 }]]);
  });
});

test("a message far in the future is waited for without writes", async () => {
  start();
  const params = ["t", Buffer.from("later"), null, null, clock.now(), clock.now() + 3 * 86_400_000, null, 10];
  await file.engine.write([{ statement: "publish", params }]);
  processes[0]?.poll();
  await settled();
  const before = writes();
  clock.advance(2 * 86_400_000);
  await settled();
  expect([writes() - before, processes[0]?.started]).toEqual([0, []]);
  clock.advance(86_400_000);
  await settled();
  expect(processes[0]?.started).toEqual(["later"]);
});
