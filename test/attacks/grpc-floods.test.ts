import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLAG, FRAME } from "../../src/net/h2/protocol/frames.ts";
import { frame, HELLO, literal, requestFields, times } from "../harness/h2-frames.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { type SidecarProgram, startSidecarProgram } from "../harness/sidecar-program.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";
import { Flood, whileServing } from "./flood.ts";

const THOUSAND = 1_000;
/** The timeout of handshakes is ten seconds; the rest is for a machine that does other things. */
const CUT_OFF_MS_MAX = 40_000;
const TEST_MS_MAX = 90_000;

const STREAMS_PER_CONNECTION = 20;
const CONNECTIONS = 100;

/** The head of a gRPC call; its message is still to come. */
function head(stream: number, path: string): Buffer {
  const fields = [requestFields(path), literal("content-type", "application/grpc"), literal("te", "trailers")];
  return frame(FRAME.headers, FLAG.endHeaders, stream, Buffer.concat(fields));
}

/** The prefix of a message, and as much of it as is sent. */
function message(stream: number, length: number, sent: number, flags = 0): Buffer {
  const prefix = Buffer.alloc(5 + sent);
  prefix.writeUInt32BE(length, 1);
  return frame(FRAME.data, flags, stream, prefix);
}

const DOORS = {
  gRPC: "/dapr.proto.runtime.v1.Dapr/GetState",
  internal: "/dapr.proto.internals.v1.ServiceInvocation/CallLocal",
} as const;

const ports = new Map<keyof typeof DOORS, number>();
let sidecar: SidecarProgram;
beforeAll(async () => {
  ports.set("gRPC", await freePort()).set("internal", await freePort());
  sidecar = await startSidecarProgram({
    resources: IN_MEMORY,
    flags: [
      `--dapr-grpc-port=${ports.get("gRPC")}`,
      `--dapr-internal-grpc-port=${ports.get("internal")}`,
      "--dapr-internal-grpc-listen-address=127.0.0.1",
      "--log-level=error",
    ],
  });
}, TEST_MS_MAX);
afterAll(async () => await sidecar[Symbol.asyncDispose]());

describe.each(["gRPC", "internal"] as const)("by the thousand, at the %s port", (door) => {
  const port = (): number => ports.get(door) ?? 0;

  it(
    "what is no HTTP/2 at all is cut off",
    async () => {
      await whileServing(sidecar, async () => {
        const noise = Buffer.alloc(1_024, 0xfe);
        using flood = await Flood.open(port(), THOUSAND, () => noise);
        await flood.cutOff(CUT_OFF_MS_MAX);
      });
    },
    TEST_MS_MAX,
  );

  it(
    "messages that say that they are gigabytes are refused before they come",
    async () => {
      await whileServing(sidecar, async () => {
        const call = (stream: number): Buffer =>
          Buffer.concat([head(stream, DOORS[door]), message(stream, 0xffffffff, 16)]);
        const calls = Buffer.concat(Array.from({ length: STREAMS_PER_CONNECTION }, (_, index) => call(2 * index + 1)));
        using flood = await Flood.open(port(), CONNECTIONS, () => Buffer.concat([HELLO, calls]));
        // 8 is RESOURCE_EXHAUSTED.
        await until(
          "each was answered",
          () =>
            flood.attackers.every(
              ({ received }) => received.includes("grpc-status") || received.includes("larger than max"),
            ),
          CUT_OFF_MS_MAX,
        );
      });
    },
    TEST_MS_MAX,
  );

  it(
    "calls whose messages never come to their end hold up nobody and little memory",
    async () => {
      await whileServing(sidecar, async (served) => {
        const call = (stream: number): Buffer =>
          Buffer.concat([head(stream, DOORS[door]), message(stream, 1024 * 1024, 1_024)]);
        const calls = Buffer.concat(Array.from({ length: STREAMS_PER_CONNECTION }, (_, index) => call(2 * index + 1)));
        using flood = await Flood.open(port(), CONNECTIONS, () => Buffer.concat([HELLO, calls]));
        await served();
        expect(flood.open).toBe(CONNECTIONS);
      });
    },
    TEST_MS_MAX,
  );

  it(
    "floods of empty messages on one call are held back or cut off",
    async () => {
      await whileServing(sidecar, async () => {
        const empty = times(10_000, message(1, 0, 0));
        using flood = await Flood.open(port(), 20, () => Buffer.concat([HELLO, head(1, DOORS[door]), empty]));
        await until(
          "each was answered or cut off",
          () => flood.attackers.every(({ received, isClosed }) => isClosed || received.length > 0),
          CUT_OFF_MS_MAX,
        );
      });
    },
    TEST_MS_MAX,
  );
});

it(
  "connections that say nothing, half a preface, or half a frame of SETTINGS are cut off at both ports",
  async () => {
    await whileServing(sidecar, async () => {
      const starts = ["", "PRI * HTTP/2.0\r\n", HELLO.subarray(0, -4)];
      const startOf = (index: number): string | Buffer => starts[index % starts.length] ?? "";
      using gRPC = await Flood.open(ports.get("gRPC") ?? 0, THOUSAND, startOf);
      using internal = await Flood.open(ports.get("internal") ?? 0, THOUSAND, startOf);
      await Promise.all([gRPC, internal].map(async (flood) => await flood.cutOff(CUT_OFF_MS_MAX)));
    });
  },
  TEST_MS_MAX,
);
