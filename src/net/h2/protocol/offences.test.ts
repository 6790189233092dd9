import { expect, test } from "vitest";
import { FrameSink } from "../../../../test/harness/h2-sink.ts";
import { LARGE_HEAD_COST, resolveTransportOptions } from "../limits.ts";
import type { TransportOptions } from "../transport.ts";
import { Offences } from "./offences.ts";

function offencesOf(options: TransportOptions): { offences: Offences; sink: FrameSink } {
  const sink = new FrameSink();
  return { offences: new Offences(resolveTransportOptions(options), sink.output), sink };
}

test("noise is forgiven for work and with time", () => {
  const { offences } = offencesOf({ controlBurst: 10, controlsPerS: 4 });
  for (let i = 0; i < 10; i += 1) offences.countNoise();
  expect(() => offences.countNoise()).toThrow("too many frames that do no work");
  offences.tookData(100_000);
  offences.countNoise();
  offences.passed(1_000);
  offences.countNoise(4);
  expect(() => offences.countNoise()).toThrow(expect.objectContaining({ kind: "control_flood" }));
});

test("DATA of ours forgives a PING and two window updates, crumbs of it next to nothing", () => {
  const { offences } = offencesOf({ controlBurst: 3, controlsPerS: 0 });
  offences.countNoise(3);
  offences.sentData(1, true);
  offences.countNoise(3);
  offences.sentData(1, false);
  expect(() => offences.countNoise()).toThrow("too many frames that do no work");
});

test("resets cost more the more there was to decode, and streams that end well forgive them", () => {
  const { offences } = offencesOf({ resetBurst: 4, resetsPerS: 0 });
  offences.countReset(3 * 1024);
  offences.streamEnded();
  offences.countReset(0);
  expect(() => offences.countReset(0)).toThrow(expect.objectContaining({ kind: "reset_flood" }));
});

test("heads that are too large use up the budget of the resets", () => {
  const { offences } = offencesOf({ resetBurst: 2 * LARGE_HEAD_COST, resetsPerS: 0 });
  offences.countLargeHead();
  offences.countLargeHead();
  expect(() => offences.countLargeHead()).toThrow(expect.objectContaining({ kind: "header_flood" }));
});

test("answers that nobody reads end the connection", () => {
  const { offences, sink } = offencesOf({ outputBacklogBytesMax: 100 });
  sink.socket.room = false;
  sink.writer.ping();
  sink.take();
  for (let i = 0; i < 5; i += 1) sink.writer.ping();
  offences.countNoise();
  sink.writer.ping();
  expect(() => offences.countNoise()).toThrow(expect.objectContaining({ kind: "output_backlog" }));
});
