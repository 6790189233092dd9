import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { systemClock } from "../../kit/system-clock.ts";
import { openGrpcPlacement } from "../../mesh/grpc-placement.ts";
import type { PlacementOrder, PlacementReport, PlacementStream } from "../../mesh/placement-stream.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { methodOf } from "../../net/grpc/protobuf.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import { createH2Transport } from "../../net/h2/protocol/transport.ts";
import { listen } from "../../net/http/listener.ts";
import {
  type Host,
  HostSchema,
  Placement,
  PlacementOrderSchema,
} from "../../wire/gen/dapr/proto/placement/v1/placement_pb.js";
import { createPlacementServer } from "./placement-door.ts";
import { placementServiceOn } from "./placement-service.fixture.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) {
    await close();
  }
});

async function serve(server: GrpcServer): Promise<string> {
  const listener = await listen({ port: 0 }, { h2: createH2Transport().createServer(server.accept) });
  closing.push(async () => {
    await server.close(100);
    await listener.close(100);
  });
  return listener.address;
}

function servePlacement(): Promise<string> {
  const service = placementServiceOn(systemClock);
  return serve(createPlacementServer({ service, refusal: () => undefined, logger: silentLogger }));
}

function reportOf(id: string, types: readonly string[], more: object = {}): PlacementReport {
  return { kind: "report", address: `${id}:1`, types, incarnation: `${id}-1`, held: undefined, askedMs: 7, ...more };
}

/** A sidecar that acknowledges what it is told. */
class Sidecar {
  readonly stream: PlacementStream;
  readonly #orders: AsyncIterator<PlacementOrder>;

  constructor(address: string, id: string, report = reportOf(id, ["cat"])) {
    const client = createGrpcClient(createH2Transport(), address);
    this.stream = openGrpcPlacement(client, { appId: id, namespace: "default" });
    this.#orders = this.stream.orders[Symbol.asyncIterator]();
    closing.push(async () => this.stream.close());
    this.stream.send(report);
  }

  /** The next orders, acknowledged. */
  async hears(count: number): Promise<string[]> {
    const heard: string[] = [];
    while (heard.length < count) {
      const { value } = (await this.#orders.next()) as { value: PlacementOrder };
      heard.push(describe(value));
      if (value.operation === "lock" || value.operation === "update" || value.operation === "unlock") {
        this.stream.send({ kind: value.operation, version: value.version });
      }
    }
    return heard;
  }

  async ended(): Promise<boolean | undefined> {
    return (await this.#orders.next()).done;
  }
}

function describe(order: PlacementOrder): string {
  switch (order.operation) {
    case "welcome":
      return order.resumed ? "welcome back" : "welcome";
    case "lease":
      return `lease ${order.askedMs}`;
    case "update": {
      const types = [...order.tables.types].map(
        ([type, hosts]) => `${type}@${hosts.map(({ appId }) => appId).join("+")}`,
      );
      const { replicationFactor, renewed = [] } = order.tables;
      const another = renewed.length === 0 ? "" : `; anew: ${renewed.join(", ")}`;
      return `update ${order.version} x${replicationFactor}: ${types.toSorted().join(", ")}${another}`;
    }
    default:
      return `${order.operation} ${order.version}`;
  }
}

it("tells sidecars of ours who comes and who goes, each table put together from differences", async () => {
  const address = await servePlacement();
  const a = new Sidecar(address, "a");
  expect(await a.hears(4)).toEqual(["welcome", "lease 7", "update 1 x100: cat@a", "unlock 1"]);
  const b = new Sidecar(address, "b", reportOf("b", ["cat", "dog"]));
  const [heardA, heardB] = await Promise.all([a.hears(2), b.hears(4)]);
  expect(heardA).toEqual(["update 2 x100: cat@a+b, dog@b", "unlock 2"]);
  expect(heardB.slice(2)).toEqual(heardA);
  a.stream.send({ kind: "lease", askedMs: 8 });
  expect(await a.hears(1)).toEqual(["lease 8"]);
  b.stream.send(reportOf("b", ["dog"], { askedMs: 9 }));
  expect(await Promise.all([a.hears(2), b.hears(3)])).toEqual([
    ["update 3 x100: cat@a, dog@b; anew: b:1", "unlock 3"],
    ["lease 9", "update 3 x100: cat@a, dog@b; anew: b:1", "unlock 3"],
  ]);
  b.stream.send({ kind: "leave" });
  expect([await a.hears(2), await b.ended()]).toEqual([["update 4 x100: cat@a", "unlock 4"], true]);
});

it("goes on with a sidecar whose stream broke, from the whole table", async () => {
  const address = await servePlacement();
  const a = new Sidecar(address, "a");
  await a.hears(4);
  a.stream.close();
  const again = new Sidecar(address, "a", reportOf("a", ["cat"], { held: { version: 1n, hosts: ["a:1"] } }));
  expect(await again.hears(4)).toEqual(["welcome back", "lease 7", "update 1 x100: cat@a", "unlock 1"]);
});

it("says where another process has come, so that nobody goes on with connections to the one before", async () => {
  const address = await servePlacement();
  const a = new Sidecar(address, "a");
  await a.hears(4);
  const b = new Sidecar(address, "b");
  await Promise.all([a.hears(2), b.hears(4)]);
  const next = new Sidecar(address, "b", reportOf("b", ["cat"], { incarnation: "b-2" }));
  expect((await Promise.all([a.hears(2), next.hears(4)]))[0]).toEqual([
    "update 3 x100: cat@a+b; anew: b:1",
    "unlock 3",
  ]);
});

it("has one round for sidecars of ours and of Dapr's", async () => {
  const address = await servePlacement();
  const a = new Sidecar(address, "a");
  await a.hears(4);
  const client = createGrpcClient(createH2Transport(), address);
  closing.push(() => client.close());
  const theirs = client.stream(methodOf(Placement.method.reportDaprStatus));
  const orders = theirs.responses[Symbol.asyncIterator]();
  const say = (host: MessageInitShape<typeof HostSchema>): void => {
    void theirs.send(create(HostSchema, { id: "theirs", namespace: "default", ...host }));
  };
  say({ name: "theirs:1", operation: 1, entities: ["cat"] });
  const heard: string[] = [];
  for (const operation of [2, 3, 4]) {
    const { operation: order, version } = (await orders.next()).value as { operation: string; version: bigint };
    heard.push(`${order} ${version}`);
    if (operation === 3) {
      expect(await a.hears(1)).toEqual(["update 2 x100: cat@a+theirs"]);
    }
    say({ operation, version });
  }
  expect([heard, await a.hears(1)]).toEqual([["lock 2", "update 2", "unlock 2"], ["unlock 2"]]);
  theirs.cancel();
});

it("speaks Dapr's protocol with a service that knows no other, on the same connection", async () => {
  const server = new GrpcServer();
  const reports: string[] = [];
  server.add(
    methodOf(Placement.method.reportDaprStatus) as never,
    async function* (hosts: AsyncIterable<Host>) {
      for await (const { name, id, entities, operation, version } of hosts) {
        reports.push(`${operation} ${name || id} ${entities.join("+")} ${version ?? ""}`);
        const next = ["lock", "update", "unlock"][reports.length - 1];
        if (next === undefined) {
          return;
        }
        yield create(PlacementOrderSchema, { operation: next, version: 3n, tables: { replicationFactor: 100n } });
      }
    } as never,
  );
  const sidecar = new Sidecar(await serve(server), "a");
  sidecar.stream.send({ kind: "lease", askedMs: 8 });
  expect(await sidecar.hears(3)).toEqual(["lock 3", "update 3 x100: ", "unlock 3"]);
  expect([await sidecar.ended(), reports]).toEqual([true, ["1 a:1 cat ", "2 a  3", "3 a  3", "4 a  3"]]);
});
