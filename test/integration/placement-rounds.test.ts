import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { PlacementHost, startPlacementProgram } from "../harness/placement-program.ts";
import { until } from "../harness/until.ts";

/** Long enough for those who do answer, on a machine that stops them for seconds. */
const PATIENT = ["--disseminate-timeout=5s", "--keepalive-timeout=10s"];

it("tells every sidecar of a namespace who hosts what, and shows it", async () => {
  await using placement = await startPlacementProgram(["--keepalive-timeout=10s"]);
  await until("it leads", async () => (await placement.metric("dapr_placement_leader_status")) === 1);
  expect(await (await placement.get("/placement/state")).text()).toBe("{}");

  const a = placement.host("a", ["cat"]);
  await a.hears("unlock 1");
  const b = placement.host("b", ["dog", "cat"]);
  const other = placement.host("c", ["cat"], { namespace: "other" });
  await a.hears("update 2: cat@a, cat@b, dog@b");
  await b.hears("unlock 2");
  await other.hears("update 1: cat@c");
  const idle = placement.host("idle", []);
  await idle.hears("update 2: cat@a, cat@b, dog@b");

  expect(await (await placement.get("/placement/state")).json()).toEqual({
    tables: {
      default: {
        version: 2,
        hosts: [
          {
            name: "a.test:50002",
            port: 50002,
            entities: ["cat"],
            id: "a",
            api_level: 20,
            namespace: "default",
            operation: 1,
          },
          {
            name: "b.test:50002",
            port: 50002,
            entities: ["cat", "dog"],
            id: "b",
            api_level: 20,
            namespace: "default",
            operation: 1,
          },
        ],
      },
      other: {
        version: 1,
        hosts: [
          {
            name: "c.test:50002",
            port: 50002,
            entities: ["cat"],
            id: "c",
            api_level: 20,
            namespace: "other",
            operation: 1,
          },
        ],
      },
    },
  });
  await until(
    "all are counted",
    async () => (await placement.metric('dapr_placement_runtimes_total{host_namespace="default"}')) === 3,
  );
  expect(await placement.metric('dapr_placement_actor_runtimes_total{host_namespace="default"}')).toBe(2);

  b.leave();
  await a.hears("update 3: cat@a");
  await until(
    "it is counted no longer",
    async () => (await placement.metric('dapr_placement_runtimes_total{host_namespace="default"}')) === 2,
  );
});

it("cuts off who does not answer, and goes on with the others", async () => {
  await using placement = await startPlacementProgram(PATIENT);
  const a = placement.host("a", ["cat"]);
  await a.hears("unlock 1");
  const silent = placement.host("silent", ["dog"], { answers: false });
  expect(await silent.ended).toEqual({ code: 4, message: "dissemination timeout after 5s for version 2" });
  await a.hears("update 3: cat@a");
});

it("one that reads nothing holds up nobody beyond the timeout, and its own stream only", async () => {
  await using placement = await startPlacementProgram(PATIENT);
  const many = Array.from({ length: 9_000 }, (_, index) => `an.actor.type.with.a.long.name.${index}`);
  const a = placement.host("a", many);
  await a.hears("unlock 1");
  const stuck = placement.host("stuck", ["cat"]);
  await stuck.hears("unlock 2");
  stuck.stopReading();
  const b = placement.host("b", ["dog"]);
  await until("b is in the rounds", () => b.heard.some((order) => order.startsWith("unlock")));
  const state = (await (await placement.get("/placement/state")).json()) as {
    tables: { default: { hosts: { id: string }[] } };
  };
  expect(state.tables.default.hosts.map(({ id }) => id)).toEqual(["a", "b"]);
});

it("takes a sidecar that gives no sign of life out of the table, without waiting for a round", async () => {
  await using placement = await startPlacementProgram([
    "--keepalive-time=1s",
    "--keepalive-timeout=5s",
    "--disseminate-timeout=60s",
  ]);
  const sockets: Socket[] = [];
  const [host = "", port] = placement.address.split(":");
  const wire = createServer((near) => {
    const far = connect(Number(port), host);
    sockets.push(near, far);
    near.on("error", () => undefined).pipe(far);
    far.on("error", () => undefined).pipe(near);
  });
  await new Promise<void>((resolve) => void wire.listen(0, "127.0.0.1", resolve));
  const frozen = new PlacementHost(`127.0.0.1:${(wire.address() as AddressInfo).port}`, "frozen", ["dog"]);
  await frozen.hears("unlock 1");
  const a = placement.host("a", ["cat"]);
  await a.hears("update 2: cat@a, dog@frozen");
  await a.hears("unlock 2");
  for (const socket of sockets) {
    socket.unpipe().pause();
  }
  await a.hears("update 3: cat@a");
  frozen.leave();
  for (const socket of sockets) {
    socket.destroy();
  }
  wire.close();
});

it("ends its streams and itself on a signal", async () => {
  await using placement = await startPlacementProgram();
  const a = placement.host("a", ["cat"]);
  await a.hears("unlock 1");
  const end = placement.program.signal("SIGINT");
  expect(await a.ended).toEqual({ code: 14, message: "placement server is shutting down" });
  expect(await end).toMatchObject({ code: 0, signal: null });
  expect(placement.program.output).toContain("Placement service shut down gracefully");
});
