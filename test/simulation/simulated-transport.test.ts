import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { createGrpcClient } from "../../src/net/grpc/client.ts";
import { GrpcServer, rawMethod } from "../../src/net/grpc/server.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import { Network } from "./network.ts";
import { SeededRandom } from "./seeded-random.ts";
import { Machine } from "./simulated-process.ts";
import { Ports, SimulatedTransport } from "./simulated-transport.ts";
import { World } from "./world.ts";

const ECHO = rawMethod("/test.Echo/Say", "unary");
const KEEPALIVE = { keepaliveMs: 1_000, keepaliveTimeoutMs: 500 };
const ADDRESS = "server:1";

/** A server that answers after a second, a client of it, and what becomes of the client's calls. */
function setUp() {
  const world = new World();
  const network = new Network(world, new SeededRandom(1, "network"));
  const ports = new Ports();
  const [client, server] = ["client", "server"].map((name) => {
    const machine = new Machine(world, name, 1);
    network.machines.set(name, machine);
    return machine;
  }) as [Machine, Machine];
  const process = server.start();
  const echo = new GrpcServer();
  echo.add(ECHO, async (request) => {
    await process.sleep(1_000);
    return request;
  });
  new SimulatedTransport(world, network, ports, process).listen(ADDRESS, echo.accept);
  const grpc = createGrpcClient(new SimulatedTransport(world, network, ports, client.start()), ADDRESS, {
    transport: KEEPALIVE,
  });
  const outcomes: string[] = [];
  const call = (options?: { readonly timeoutMs: number }): void => {
    const at = (text: string) => outcomes.push(`${text} ${Math.round(world.nowMs / 100) / 10}`);
    grpc.unary(ECHO, Buffer.from("hello"), options).then(
      ({ response }) => at(Buffer.from(response).toString()),
      (error: unknown) => at(GrpcError.is(error) ? String(error.code) : String(error)),
    );
  };
  return {
    world,
    network,
    client,
    server,
    process,
    outcomes,
    call,
    run: (ms: number) => world.run(ms, () => undefined),
  };
}

it("carries gRPC in virtual time", async () => {
  const { call, run, outcomes } = setUp();
  call();
  await run(2_000);
  expect(outcomes).toEqual(["hello 1"]);
});

it("tells of a killed process at once, of a machine without power when a keepalive has had no answer", async () => {
  const killed = setUp();
  killed.call();
  await killed.run(500);
  killed.process.kill();
  await killed.run(5_000);
  expect(killed.outcomes).toEqual([`${GRPC_STATUS.UNAVAILABLE} 0.5`]);

  const dark = setUp();
  dark.call();
  await dark.run(500);
  dark.server.isUp = false;
  dark.process.kill();
  await dark.run(5_000);
  expect(dark.outcomes).toEqual([`${GRPC_STATUS.UNAVAILABLE} 1.5`]);
});

it("holds what is sent while the way is cut, and lets a short cut pass", async () => {
  const { call, run, outcomes, network, client, server } = setUp();
  call();
  await run(500);
  network.cut(server, client);
  await run(1_300);
  expect(outcomes).toEqual([]);
  network.heal(server, client);
  await run(1_400);
  expect(outcomes).toEqual(["hello 1.3"]);
});

it("answers nothing for a stopped process until it goes on, and keeps deadlines by the caller's clock", async () => {
  const { call, run, outcomes, process } = setUp();
  call({ timeoutMs: 700 });
  call();
  await run(100);
  process.pause();
  await run(1_200);
  process.resume();
  await run(3_000);
  expect(outcomes).toEqual([`${GRPC_STATUS.DEADLINE_EXCEEDED} 0.7`, "hello 1.2"]);
});
