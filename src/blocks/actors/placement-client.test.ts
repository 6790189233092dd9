import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { PlacementOrder, PlacementReport, PlacementStream } from "../../mesh/placement-stream.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { LEASE_ASK_MS, STALL_MS, STREAM_MS_MIN } from "./limits.ts";
import { OwnershipLease } from "./ownership-lease.ts";
import { PlacementClient } from "./placement-client.ts";

const LEASE_MS = 3_000;

/** The service's end of one stream. */
class FakeStream implements PlacementStream {
  readonly address: string;
  readonly sent: PlacementReport[] = [];
  readonly orders: AsyncIterable<PlacementOrder>;
  closed = false;
  endsOnLeave = true;
  readonly #waiting: PlacementOrder[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake = (): void => undefined;

  constructor(address: string) {
    this.address = address;
    this.orders = this.#read();
  }

  send(report: PlacementReport): void {
    this.sent.push(report);
    if (report.kind === "leave" && this.endsOnLeave) {
      this.end();
    }
  }

  round(operation: "lock" | "update" | "unlock", version: bigint): void {
    this.order(
      operation === "update"
        ? { operation, version, tables: { types: new Map(), replicationFactor: 100 } }
        : { operation, version },
    );
  }

  /** As a service of ours answers the first report. */
  welcome(resumed = false): void {
    this.order({ operation: "welcome", leaseMs: LEASE_MS, resumed });
    this.grant();
  }

  /** Grants the lease that was asked for last. */
  grant(): void {
    const asked = this.sent.findLast(({ kind }) => kind === "report" || kind === "lease");
    if (asked?.kind === "report" || asked?.kind === "lease") {
      this.order({ operation: "lease", askedMs: asked.askedMs });
    }
  }

  order(order: PlacementOrder): void {
    this.#waiting.push(order);
    this.#wake();
  }

  end(error?: Error): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake();
  }

  close(): void {
    this.closed = true;
    this.end();
  }

  async *#read(): AsyncGenerator<PlacementOrder> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) {
          throw this.#end.error;
        }
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}

function setUp(addresses = ["a:1", "b:2"], drained: () => Promise<void> = async () => undefined) {
  const clock = new VirtualClock();
  const lease = new OwnershipLease(clock);
  const streams: FakeStream[] = [];
  const told: string[] = [];
  const client = new PlacementClient({
    appId: "app",
    namespace: "default",
    ownAddress: "me:3",
    addresses,
    disseminationTimeoutMs: 30_000,
    open(address) {
      const stream = new FakeStream(address);
      streams.push(stream);
      return stream;
    },
    follower: {
      tablesChanged: async () => {
        told.push("changed");
        await drained();
      },
      tablesAgreed: () => void told.push("agreed"),
      leaseHeld: () => undefined,
      ownershipLost: async () => void told.push("gave up"),
      connectionLost: async () => void told.push("lost"),
      knownHosts: () => ["me:3", "other:3"],
    },
    lease,
    clock,
    random: systemRandom,
    logger: silentLogger,
  });
  /** Lets time pass in steps in which everything that is due happens. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      await nextTurn();
    }
  };
  return { client, clock, streams, told, lease, pass };
}

describe("a placement client", () => {
  it("reports what it hosts, and carries out a round", async () => {
    const { client, streams, told } = setUp();
    client.report(["t"]);
    client.start();
    const [stream] = streams as [FakeStream];
    for (const operation of ["lock", "update", "unlock"] as const) {
      stream.round(operation, 7n);
      await nextTurn();
    }
    expect(stream.sent).toEqual([
      expect.objectContaining({ kind: "report", address: "me:3", types: ["t"], held: undefined }),
      { kind: "lock", version: 7n },
      { kind: "update", version: 7n },
      { kind: "unlock", version: 7n },
    ]);
    expect([told, client.isReady]).toEqual([["changed", "agreed"], true]);
    client.report(["t", "u"]);
    expect(stream.sent.at(-1)).toMatchObject({ kind: "report", address: "me:3", types: ["t", "u"] });
    await client.close();
  });

  it("goes to the next address when the service is lost, and nothing is active meanwhile", async () => {
    const { client, streams, told, clock } = setUp();
    client.start();
    streams[0]?.round("lock", 1n);
    await nextTurn();
    clock.advance(STREAM_MS_MIN);
    streams[0]?.end(new GrpcError(GRPC_STATUS.UNAVAILABLE, "gone"));
    await nextTurn();
    expect([told, streams.map(({ address }) => address)]).toEqual([["lost"], ["a:1", "b:2"]]);
    await client.close();
  });

  it.each([
    ["it never got through", []],
    ["the stream lived for a moment only", ["lock"] as const],
  ])("waits a little before it tries again where %s", async (_, orders) => {
    const { client, clock, streams } = setUp();
    client.start();
    for (const order of orders) {
      streams[0]?.round(order, 1n);
    }
    await nextTurn();
    streams[0]?.end(new GrpcError(GRPC_STATUS.UNAVAILABLE, "refused"));
    await nextTurn();
    expect(streams).toHaveLength(1);
    clock.advance(750);
    await nextTurn();
    expect(streams.map(({ address }) => address)).toEqual(["a:1", "b:2"]);
    await client.close();
  });

  it("gives up a stream whose round does not end", async () => {
    const { client, clock, streams, told } = setUp();
    client.start();
    streams[0]?.round("lock", 1n);
    await nextTurn();
    clock.advance(30_000);
    await nextTurn();
    expect([streams[0]?.closed, told, streams.length]).toEqual([true, ["lost"], 2]);
    await client.close();
  });

  it.each([
    ["an unlock without an update", 1n],
    ["an unlock of an older version", 2n],
  ])("ignores %s", async (_, locked) => {
    const { client, streams, told } = setUp();
    client.start();
    streams[0]?.round("lock", locked);
    streams[0]?.round("unlock", 1n);
    await nextTurn();
    expect([told, client.isReady, streams.length]).toEqual([[], false, 1]);
    await client.close();
  });

  it("gives up a service whose tables are older than the lock", async () => {
    const { client, streams, told } = setUp();
    client.start();
    streams[0]?.round("lock", 2n);
    streams[0]?.round("update", 1n);
    await nextTurn();
    expect([told, streams[0]?.closed]).toEqual([["lost"], true]);
    await client.close();
  });
});

describe("without leases", () => {
  it("everything is given up when the process has stood still for too long", async () => {
    const { client, clock, streams, told, lease } = setUp();
    client.start();
    streams[0]?.round("lock", 1n);
    await nextTurn();
    clock.advance(STALL_MS * 3);
    expect(lease.holds()).toBe(true);
    clock.stall(STALL_MS + 1);
    expect([lease.holds(), told]).toEqual([false, []]);
    clock.advance(1_000);
    await nextTurn();
    expect([told, streams[0]?.closed, streams.length]).toEqual([["lost"], true, 2]);
    await client.close();
  });
});

describe("with a service of ours", () => {
  async function leased(...args: Parameters<typeof setUp>) {
    const bench = setUp(...args);
    bench.client.report(["t"]);
    bench.client.start();
    const [stream] = bench.streams as [FakeStream];
    stream.welcome();
    stream.round("update", 5n);
    stream.round("unlock", 5n);
    await nextTurn();
    bench.clock.advance(STREAM_MS_MIN);
    return { ...bench, stream };
  }

  it("a round has no lock, and a lease is asked for again and again", async () => {
    const { client, stream, told, lease, pass, streams } = await leased();
    expect([told, client.isReady, lease.holds()]).toEqual([["changed", "agreed"], true, true]);
    for (let second = 0; second < 10; second++) {
      await pass(LEASE_ASK_MS);
      stream.grant();
    }
    await nextTurn();
    expect([lease.holds(), told.length, streams.length]).toEqual([true, 2, 1]);
    await client.close();
  });

  it("leases are granted while a drain goes on, and it is acknowledged when it is over", async () => {
    const drain = Promise.withResolvers<void>();
    const { client, stream, lease, pass } = await leased(undefined, () => drain.promise);
    for (let second = 0; second < 5; second++) {
      await pass(LEASE_ASK_MS);
      stream.grant();
      await nextTurn();
    }
    expect([lease.holds(), stream.sent.some(({ kind }) => kind === "update")]).toEqual([true, false]);
    drain.resolve();
    await nextTurn();
    expect(stream.sent).toContainEqual({ kind: "update", version: 5n });
    await client.close();
  });

  it("a stream that breaks changes nothing while the lease holds, and the next one says what is held", async () => {
    const { client, stream, streams, told, lease } = await leased();
    stream.end(new GrpcError(GRPC_STATUS.UNAVAILABLE, "restarting"));
    await nextTurn();
    const [next] = streams.slice(1) as [FakeStream];
    expect([told, client.isReady, lease.holds()]).toEqual([["changed", "agreed"], false, true]);
    const [first] = stream.sent;
    expect(next.sent).toEqual([
      { ...first, askedMs: expect.any(Number) as number, held: { version: 5n, hosts: ["me:3", "other:3"] } },
    ]);
    next.welcome(true);
    next.round("update", 6n);
    next.round("unlock", 6n);
    await nextTurn();
    expect([told, client.isReady]).toEqual([["changed", "agreed", "changed", "agreed"], true]);
    await client.close();
  });

  it("everything is given up, and a new name taken, when the lease is over", async () => {
    const { client, stream, streams, told, pass } = await leased();
    await pass(LEASE_MS + 500);
    expect([told, stream.closed]).toEqual([["changed", "agreed", "gave up"], true]);
    const [next] = streams.slice(1) as [FakeStream];
    expect(next.sent[0]).toMatchObject({ kind: "report", held: undefined });
    expect(next.sent[0]).not.toMatchObject({ incarnation: (stream.sent[0] as { incarnation: string }).incarnation });
    next.welcome();
    next.round("update", 1n);
    next.round("unlock", 1n);
    await nextTurn();
    expect([told.slice(3), client.isReady]).toEqual([["changed", "agreed"], true]);
    await client.close();
  });

  it("a process that stood still holds nothing, whatever has been granted meanwhile", async () => {
    const { client, clock, stream, told, lease } = await leased();
    clock.stall(LEASE_MS + 1);
    stream.grant();
    await nextTurn();
    expect(lease.holds()).toBe(false);
    clock.advance(1_000);
    await nextTurn();
    expect(told).toEqual(["changed", "agreed", "gave up"]);
    await client.close();
  });

  it("everything is given up when the service does not know that it was held, before tables are looked at", async () => {
    const { client, stream, streams, told, lease } = await leased();
    stream.end();
    await nextTurn();
    const [next] = streams.slice(1) as [FakeStream];
    next.welcome(false);
    next.round("update", 1n);
    await nextTurn();
    expect([told.slice(2), lease.holds()]).toEqual([["gave up", "changed"], true]);
    await client.close();
  });

  it("everything is given up when the service does not wait any longer", async () => {
    const { client, stream, told, lease } = await leased();
    stream.end(new GrpcError(GRPC_STATUS.DEADLINE_EXCEEDED, "dissemination timeout"));
    await nextTurn();
    expect([told.slice(2), lease.holds()]).toEqual([["gave up"], false]);
    await client.close();
  });

  it("it leaves when it stops, and waits until that is known", async () => {
    const { client, stream, told } = await leased();
    stream.endsOnLeave = false;
    let closed = false;
    const closing = client.close().then(() => (closed = true));
    await nextTurn();
    expect([stream.sent.at(-1), closed]).toEqual([{ kind: "leave" }, false]);
    stream.end();
    await closing;
    expect(told).toEqual(["changed", "agreed"]);
  });
});
