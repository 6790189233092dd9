import { create } from "@bufbuild/protobuf";
import { EventQueue } from "../../src/api/grpc/event-queue.ts";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { GrpcServer } from "../../src/net/grpc/server.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { listen } from "../../src/net/http/listener.ts";
import {
  type Host,
  HostOperation,
  Placement,
  type PlacementOrder,
  PlacementOrderSchema,
} from "../../src/wire/gen/dapr/proto/placement/v1/placement_pb.js";

const PHASES = ["lock", "update", "unlock"] as const;
const ANSWERED = { lock: HostOperation.LOCK, update: HostOperation.UPDATE, unlock: HostOperation.UNLOCK };

interface Member {
  host: Host | undefined;
  readonly orders: EventQueue<PlacementOrder>;
  answered: ((operation: HostOperation) => void) | undefined;
}

/** A placement service in memory: rounds of lock, update and unlock with all sidecars, one after the other. */
export interface PlacementDouble extends AsyncDisposable {
  readonly address: string;
  /** The order that sidecars have not all answered yet; undefined between rounds. */
  readonly phase: (typeof PHASES)[number] | undefined;
  close(): Promise<void>;
}

/** Opens one on a free loopback port. */
export async function startPlacementDouble(): Promise<PlacementDouble> {
  const members = new Set<Member>();
  let version = 0n;
  let rounds = Promise.resolve();
  let current: PlacementDouble["phase"];

  const phase = async (operation: (typeof PHASES)[number]): Promise<void> => {
    const order = create(PlacementOrderSchema, {
      operation,
      version,
      ...(operation === "update" ? { tables: tablesOf(members) } : {}),
    });
    await Promise.all(
      [...members].map(async (member) => {
        const answer = Promise.withResolvers<HostOperation>();
        member.answered = answer.resolve;
        member.orders.push(order);
        for (let got = await answer.promise; got !== ANSWERED[operation] && members.has(member);) {
          const next = Promise.withResolvers<HostOperation>();
          member.answered = next.resolve;
          got = await next.promise;
        }
      }),
    );
  };
  const round = (): void => {
    rounds = rounds.then(async () => {
      version += 1n;
      for (const operation of PHASES) {
        current = operation;
        await phase(operation);
      }
      current = undefined;
    });
  };

  const server = new GrpcServer();
  server.add(methodsOf(Placement).reportDaprStatus, async function* serve(requests) {
    const member: Member = { host: undefined, orders: new EventQueue(), answered: undefined };
    members.add(member);
    const leave = (): void => {
      members.delete(member);
      member.answered?.(HostOperation.UNKNOWN);
      member.orders.end();
      round();
    };
    void read(requests, member, round).then(leave, leave);
    yield* member.orders;
  });
  const listener = await listen({ port: 0 }, { h2: createH2Transport().createServer(server.accept) });
  const close = async (): Promise<void> => {
    for (const { orders } of members) {
      orders.end();
    }
    await server.close(100);
    await listener.close(100);
  };
  return {
    address: listener.address,
    get phase() {
      return current;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function read(requests: AsyncIterable<Host>, member: Member, round: () => void): Promise<void> {
  for await (const host of requests) {
    if (host.operation === HostOperation.REPORT) {
      member.host = host;
      round();
    } else {
      member.answered?.(host.operation);
    }
  }
}

function tablesOf(members: ReadonlySet<Member>) {
  const entries: Record<string, { loadMap: Record<string, Host> }> = {};
  for (const { host } of members) {
    for (const type of host?.entities ?? []) {
      entries[type] ??= { loadMap: {} };
      entries[type].loadMap[host?.name ?? ""] = host as Host;
    }
  }
  return { entries, replicationFactor: 100n };
}
