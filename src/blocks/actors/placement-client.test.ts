import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { PlacementOrder, PlacementReport, PlacementStream } from "../../mesh/placement-stream.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { PlacementClient } from "./placement-client.ts";

/** The service's end of one stream. */
class FakeStream implements PlacementStream {
  readonly address: string;
  readonly sent: PlacementReport[] = [];
  readonly orders: AsyncIterable<PlacementOrder>;
  closed = false;
  readonly #waiting: PlacementOrder[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake = (): void => undefined;

  constructor(address: string) {
    this.address = address;
    this.orders = this.#read();
  }

  send(report: PlacementReport): void {
    this.sent.push(report);
  }

  order(operation: string, version: bigint): void {
    const tables = operation === "update" ? { types: new Map(), replicationFactor: 100 } : undefined;
    this.#waiting.push({ operation, version, tables });
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

function setUp(addresses = ["a:1", "b:2"]) {
  const clock = new VirtualClock();
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
      tablesChanged: async () => void told.push("changed"),
      tablesAgreed: () => void told.push("agreed"),
      connectionLost: async () => void told.push("lost"),
    },
    clock,
    random: systemRandom,
    logger: silentLogger,
  });
  return { client, clock, streams, told };
}

describe("a placement client", () => {
  it("reports what it hosts, and carries out a round", async () => {
    const { client, streams, told } = setUp();
    client.report(["t"]);
    client.start();
    const [stream] = streams as [FakeStream];
    for (const operation of ["lock", "update", "unlock"]) {
      stream.order(operation, 7n);
      await nextTurn();
    }
    expect(stream.sent).toEqual([
      { kind: "report", address: "me:3", types: ["t"] },
      { kind: "lock", version: 7n },
      { kind: "update", version: 7n },
      { kind: "unlock", version: 7n },
    ]);
    expect([told, client.isReady]).toEqual([["changed", "agreed"], true]);
    client.report(["t", "u"]);
    expect(stream.sent.at(-1)).toEqual({ kind: "report", address: "me:3", types: ["t", "u"] });
    await client.close();
  });

  it("goes to the next address when the service is lost, and nothing is active meanwhile", async () => {
    const { client, streams, told } = setUp();
    client.start();
    streams[0]?.order("lock", 1n);
    await nextTurn();
    streams[0]?.end(new GrpcError(GRPC_STATUS.UNAVAILABLE, "gone"));
    await nextTurn();
    expect([told, streams.map(({ address }) => address)]).toEqual([["lost"], ["a:1", "b:2"]]);
    await client.close();
  });

  it("waits a little before it tries again where it never got through", async () => {
    const { client, clock, streams } = setUp();
    client.start();
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
    streams[0]?.order("lock", 1n);
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
    streams[0]?.order("lock", locked);
    streams[0]?.order("unlock", 1n);
    await nextTurn();
    expect([told, client.isReady, streams.length]).toEqual([[], false, 1]);
    await client.close();
  });

  it("gives up a service whose tables are older than the lock", async () => {
    const { client, streams, told } = setUp();
    client.start();
    streams[0]?.order("lock", 2n);
    streams[0]?.order("update", 1n);
    await nextTurn();
    expect([told, streams[0]?.closed]).toEqual([["lost"], true]);
    await client.close();
  });
});
