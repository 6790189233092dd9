import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { CutOff, Transport, TransportOptions } from "../net/h2/transport.ts";
import { recordingLogger } from "../../test/harness/recording-logger.ts";
import { DEFAULT_METRICS_SETTINGS, createRuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { CutOffObserver, watchedTransport } from "./cut-offs.ts";

const FLOOD: CutOff = {
  kind: "control_flood",
  code: 11,
  reason: "too many frames that do no work",
  remoteAddress: "10.0.0.7",
};

function observed(): { logger: ReturnType<typeof recordingLogger>; clock: VirtualClock; observer: CutOffObserver } {
  const logger = recordingLogger();
  const clock = new VirtualClock();
  return { logger, clock, observer: new CutOffObserver(logger, clock, undefined) };
}

describe("CutOffObserver", () => {
  it("warns with the peer, the reason and its kind", () => {
    const { logger, observer } = observed();
    observer.cutOff(FLOOD);
    expect(logger.lines).toEqual([
      {
        level: "warn",
        message: "HTTP/2 connection with 10.0.0.7 was cut off: too many frames that do no work (control_flood)",
      },
    ]);
  });

  it("writes a line a second at most, and says how many it left out", () => {
    const { logger, clock, observer } = observed();
    for (let i = 0; i < 5; i += 1) observer.cutOff(FLOOD);
    expect(logger.lines.length).toBe(1);
    clock.advance(1_000);
    observer.cutOff({ ...FLOOD, remoteAddress: "" });
    expect(logger.lines.length).toBe(2);
    expect(logger.lines[1]?.message).toContain("with a local peer was cut off");
    expect(logger.lines[1]?.message).toContain("4 more were cut off since the last such line");
  });

  it("counts every one by its kind, under a name of our own", () => {
    const logger = recordingLogger();
    const metrics = createRuntimeMetrics({ appId: "app", namespace: "", settings: DEFAULT_METRICS_SETTINGS, logger });
    const observer = new CutOffObserver(logger, new VirtualClock(), metrics.connections);
    observer.cutOff(FLOOD);
    observer.cutOff(FLOOD);
    observer.cutOff({ ...FLOOD, kind: "slow_reader" });
    expect(
      metrics.registry
        .render()
        .split("\n")
        .filter((line) => line.startsWith("outrigger_")),
    ).toEqual([
      'outrigger_http2_connections_cut_off_total{app_id="app",reason="control_flood"} 2',
      'outrigger_http2_connections_cut_off_total{app_id="app",reason="slow_reader"} 1',
    ]);
  });
});

describe("watchedTransport", () => {
  it("has servers and clients tell the observer, and leaves their options as they are", () => {
    const { logger, observer } = observed();
    const given: (TransportOptions | undefined)[] = [];
    const transport: Transport = {
      createServer: (_accept, options) => {
        given.push(options);
        return { accept() {}, renew() {}, async close() {} };
      },
      createClient: (_authority, options) => {
        given.push(options);
        return {
          open() {
            throw new Error("nobody calls");
          },
          async close() {},
        };
      },
    };
    const watched = watchedTransport(transport, observer);
    watched.createServer(() => ({ onData() {}, onEnd() {}, onClose() {} }), { streamsMax: 7 });
    watched.createClient("a:1");
    expect(given.map((options) => options?.streamsMax)).toEqual([7, undefined]);
    given[1]?.onCutOff?.(FLOOD);
    expect(logger.said("control_flood")).toBe(true);
  });
});
