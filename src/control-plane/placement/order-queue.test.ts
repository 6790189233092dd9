import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { OrderQueue, PeerOrderQueue } from "./order-queue.ts";
import type { Order } from "./types.ts";

const tables = { version: 1, replicationFactor: 100, hosts: new Map(), entries: new Map() };
const lock = (version: number): Order => ({ operation: "lock", version });
const update = (version: number): Order => ({ operation: "update", version, tables });
const unlock = (version: number): Order => ({ operation: "unlock", version });

async function texts(queue: OrderQueue): Promise<string[]> {
  const all: string[] = [];
  for await (const { operation, version } of queue) all.push(`${operation} ${version}`);
  return all;
}

it("gives orders in their order, at once to who waits", async () => {
  const queue = new OrderQueue();
  const read = texts(queue);
  for (const order of [lock(1), update(1), unlock(1)]) {
    queue.send(order);
    await Promise.resolve();
  }
  await new Promise(setImmediate);
  queue.end();
  expect(await read).toEqual(["lock 1", "update 1", "unlock 1"]);
});

it("holds one round for who does not read, however many there are", async () => {
  const queue = new OrderQueue();
  for (let version = 1; version <= 1_000; version++) {
    for (const order of [lock(version), update(version), unlock(version)]) {
      queue.send(order);
      expect(queue.length).toBeLessThanOrEqual(3);
    }
  }
  const [first, second, third] = [await queue.next(), await queue.next(), await queue.next()];
  expect([first.value, second.value, third.value]).toEqual([lock(1_000), update(1_000), unlock(1_000)]);
});

it("ends with the error it is given, for who waits and for who comes later", async () => {
  const gone = new GrpcError(GRPC_STATUS.DEADLINE_EXCEEDED, "too late");
  const [waited, late] = [new OrderQueue(), new OrderQueue()];
  const reading = waited.next();
  waited.end(gone);
  await expect(reading).rejects.toBe(gone);
  late.send(lock(1));
  late.end(gone);
  late.end();
  late.send(lock(2));
  await expect(late.next()).rejects.toBe(gone);
});

it("takes nothing more once its stream has given it up", async () => {
  const queue = new OrderQueue();
  queue.send(lock(1));
  await queue.return();
  queue.send(lock(2));
  expect([queue.length, await queue.next()]).toEqual([0, { done: true, value: undefined }]);
});

it("keeps one welcome, table, agreement and lease at most for a sidecar of ours that does not read", async () => {
  const queue = new PeerOrderQueue();
  queue.send({ kind: "welcome", leaseMs: 1, resumed: false, askedMs: 1 });
  for (let version = 1; version < 100; version++) {
    queue.send({ kind: "table", tables: { ...tables, version } });
    queue.send({ kind: "lease", askedMs: version });
    queue.send({ kind: "agreed", version });
    queue.send({ kind: "agreed", version });
  }
  expect(queue.length).toBe(4);
  queue.send({ kind: "table", tables: { ...tables, version: 100 } });
  const rest: string[] = [];
  for await (const { kind } of queue) {
    rest.push(kind);
    if (rest.length === 3) {
      break;
    }
  }
  expect(rest).toEqual(["welcome", "lease", "table"]);
});
