import { expect, it } from "vitest";
import type { ActorCall, ActorReply, ActorTickCall } from "../app/actor-host.ts";
import { ActorLookupError, type RemoteActors } from "../blocks/actors/actor-router.ts";
import { actorErrors } from "../errors/catalogue/actors.ts";
import { apiError } from "../errors/error.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { createSharedScope } from "../inventory/shared-scope.ts";
import { Cancellation } from "../kit/cancel-signal.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { GrpcError } from "../net/grpc/status.ts";
import { LocalPeers, NearestActors } from "./local-peers.ts";

const CALL = { type: "cat", id: "tom", method: "meow" } as ActorCall;
const TICK = { type: "cat", id: "tom", name: "eat" } as ActorTickCall;
const HERE = { address: "127.0.0.1:1", appId: "a" };
const THERE = { address: "127.0.0.1:2", appId: "b" };

function bench() {
  const told: string[] = [];
  const mesh: RemoteActors = {
    call: (owner) => Promise.resolve(void told.push(`mesh ${owner.address}`) as unknown as ActorReply),
    fire: (owner) => Promise.resolve(void told.push(`mesh ${owner.address}`)),
    forget: (address) => void told.push(`forget ${address}`),
  };
  const shared = createSharedScope();
  const peers = LocalPeers.of(shared);
  expect(LocalPeers.of(shared)).toBe(peers);
  return { told, peers, actors: new NearestActors(peers, mesh, silentLogger) };
}

it("calls those of this process, with the caller's signal, and all others by the mesh", async () => {
  const { told, peers, actors } = bench();
  const signal = new Cancellation();
  const leave = peers.join(HERE.address, {
    callFromPeer: (call) => Promise.resolve(void told.push(`here ${call.signal === signal}`) as unknown as ActorReply),
    fireFromPeer: (tick) => Promise.resolve(void told.push(`fired ${tick.signal === signal}`)),
  });
  await actors.call(HERE, CALL, signal);
  await actors.fire(HERE, TICK, signal);
  await actors.call(THERE, CALL, signal);
  await actors.fire(THERE, TICK, signal);
  expect(told.splice(0)).toEqual(["here true", "fired true", "mesh 127.0.0.1:2", "mesh 127.0.0.1:2"]);
  leave();
  await actors.call(HERE, CALL, signal);
  expect(told).toEqual(["mesh 127.0.0.1:1"]);
});

it("gives each sidecar without a port an address of its own, at which nobody is when it has gone", async () => {
  const { told, peers, actors } = bench();
  const [one, two] = [peers.newAddress(), peers.newAddress()];
  expect(one).not.toBe(two);
  await expect(actors.call({ address: one, appId: "a" }, CALL, new Cancellation())).rejects.toMatchObject({
    code: GRPC_STATUS.UNAVAILABLE,
    message: `there is no sidecar ${one} in this process any more`,
  });
  expect(told).toEqual([]);
});

it("fails as the internal port would have answered", async () => {
  const { peers, actors } = bench();
  let failure = new Error("none yet");
  peers.join(HERE.address, {
    callFromPeer: () => Promise.reject(failure),
    fireFromPeer: () => Promise.reject(failure),
  });
  const lookup = new ActorLookupError({ type: "cat", id: "tom" });
  const cases: readonly (readonly [Error, number, string])[] = [
    [apiError(actorErrors.invoke, { reason: "r" }, { cause: lookup }), GRPC_STATUS.FAILED_PRECONDITION, lookup.message],
    [apiError(actorErrors.invoke, { reason: "r" }), GRPC_STATUS.INTERNAL, "error invoke actor method: r"],
    [new GrpcError(GRPC_STATUS.UNKNOWN, "remote actor moved"), GRPC_STATUS.UNKNOWN, "remote actor moved"],
    [new TypeError("a bug"), GRPC_STATUS.INTERNAL, "a bug"],
  ];
  for (const [error, code, message] of cases) {
    failure = error;
    await expect(actors.call(HERE, CALL, new Cancellation())).rejects.toMatchObject({
      name: "GrpcError",
      code,
      message,
    });
    await expect(actors.fire(HERE, TICK, new Cancellation())).rejects.toMatchObject({ code, message });
  }
});
