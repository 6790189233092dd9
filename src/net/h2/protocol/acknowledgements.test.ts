import { expect, test } from "vitest";
import { FrameSink } from "../../../../test/harness/h2-sink.ts";
import { resolveTransportOptions } from "../limits.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { FLAG, FRAME } from "./frames.ts";
import { Offences } from "./offences.ts";

const PAYLOAD = Buffer.from("12345678");

function scene(): { sink: FrameSink; acknowledgements: Acknowledgements } {
  const sink = new FrameSink();
  const offences = new Offences(resolveTransportOptions({ controlBurst: 1, controlsPerS: 0 }), sink.output);
  return { sink, acknowledgements: new Acknowledgements(sink.writer, offences) };
}

test("a PING is answered with its bytes and counts as noise", () => {
  const { sink, acknowledgements } = scene();
  acknowledgements.gotPing(0, 0, PAYLOAD, 0, 8);
  expect(sink.take()).toEqual([{ type: FRAME.ping, flags: FLAG.ack, id: 0, payload: PAYLOAD }]);
  expect(() => acknowledgements.gotPing(0, 0, PAYLOAD, 0, 8)).toThrow("too many frames that do no work");
});

test("an answer is told once, and a PING without a function of its own leaves the one that waits", () => {
  const { acknowledgements } = scene();
  let answers = 0;
  acknowledgements.ping(() => {
    answers += 1;
  });
  acknowledgements.ping();
  acknowledgements.gotPing(FLAG.ack, 0, PAYLOAD, 0, 8);
  acknowledgements.gotPing(FLAG.ack, 0, PAYLOAD, 0, 8);
  expect(answers).toBe(1);
});

test("acknowledgements that nobody waits for are noise", () => {
  const { acknowledgements } = scene();
  acknowledgements.sentSettings();
  acknowledgements.gotSettingsAck(0);
  acknowledgements.gotSettingsAck(0);
  expect(() => acknowledgements.gotSettingsAck(0)).toThrow("too many frames that do no work");
  expect(() => acknowledgements.gotPing(FLAG.ack, 0, PAYLOAD, 0, 8)).toThrow("too many frames that do no work");
});

test.each([
  ["PING on a stream", 1, 8, "protocol_error"],
  ["PING of 7 bytes", 0, 7, "frame_size_error"],
])("%s ends the connection", (_, id, length, kind) => {
  expect(() => scene().acknowledgements.gotPing(0, id, PAYLOAD, 0, length)).toThrow(expect.objectContaining({ kind }));
});

test("an acknowledgement of SETTINGS has no content", () => {
  expect(() => scene().acknowledgements.gotSettingsAck(6)).toThrow(
    expect.objectContaining({ kind: "frame_size_error" }),
  );
});
