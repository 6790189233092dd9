import { afterEach, beforeEach, expect, test } from "vitest";
import { FLAG, FRAME } from "../../src/net/h2/protocol/frames.ts";
import { frame, integer, requestFields, times } from "../harness/h2-frames.ts";
import { RawPeer } from "../harness/h2-raw-peer.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

let sidecar: TestSidecar;
beforeEach(async () => {
  sidecar = await startTestSidecar({ metrics: { enabled: true, port: 0, listenAddress: "127.0.0.1" } });
});
afterEach(async () => await sidecar.stop());

const PINGS = times(1_000, frame(FRAME.ping, 0, 0, Buffer.alloc(8)));
const BOMB = frame(
  FRAME.headers,
  FLAG.endHeaders | FLAG.endStream,
  1,
  Buffer.concat([requestFields("/"), times(8_000, integer(16, 0x7f, 0x80))]),
);

async function metrics(): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${sidecar.sidecar.ports.metrics}/metrics`)).text();
}

test.each(["http", "grpc", "internalGrpc"] as const)(
  "the %s door says in log and metrics whom it cut off",
  async (door) => {
    const port = sidecar.sidecar.ports[door] as number;
    const flood = await RawPeer.connect(port);
    await flood.flood(() => PINGS);
    await flood.ended;
    const bomb = await RawPeer.connect(port);
    bomb.send(BOMB);
    await bomb.ended;

    await until("it is counted", async () => {
      const text = await metrics();
      return ["control_flood", "header_flood"].every((reason) =>
        text.includes(`outrigger_http2_connections_cut_off_total{app_id="test-app",reason="${reason}"} 1\n`),
      );
    });
    expect(sidecar.logger.lines).toContainEqual({
      level: "warn",
      message: "HTTP/2 connection with 127.0.0.1 was cut off: too many frames that do no work (control_flood)",
    });
    expect((await sidecar.fetch("/v1.0/healthz")).status).toBe(204);
  },
);
