import { expect, it } from "vitest";
import type { ActorTickCall } from "../app/actor-host.ts";
import { packedData, reminderMessage, tickOf, unpackedData } from "./reminder-message.ts";

const TICK: ActorTickCall = {
  kind: "timer",
  type: "t",
  id: "a",
  name: "n",
  dueTime: "1s",
  period: "2s",
  callback: "",
  data: Buffer.from('{"x":1}'),
  expiresMs: Date.UTC(2026, 0, 2),
};

it.each([TICK, { ...TICK, kind: "reminder", data: undefined, expiresMs: undefined } as const])(
  "a $kind arrives as it was sent",
  (tick) => {
    const { data, ...arrived } = tickOf(reminderMessage(tick));
    const { data: sent, ...rest } = tick;
    expect(arrived).toEqual(rest);
    expect(data && Buffer.from(data).toString()).toBe(sent?.toString());
  },
);

it("the callback of a timer does not travel, as in Dapr", () => {
  expect(tickOf(reminderMessage({ ...TICK, callback: "cb" })).callback).toBe("");
});

it("no expiry is Go's zero time, which other sidecars take for none", () => {
  const { expirationTime, registeredTime } = reminderMessage({ ...TICK, expiresMs: undefined });
  expect([expirationTime?.seconds, registeredTime?.seconds]).toEqual([-62_135_596_800n, -62_135_596_800n]);
});

it("data is JSON text in a wrapper, and what is in none is taken as it is", () => {
  const packed = packedData(Buffer.from("[1]"));
  expect(packed.typeUrl).toBe("type.googleapis.com/google.protobuf.BytesValue");
  expect(Buffer.from(unpackedData(packed)).toString()).toBe("[1]");
  const other = { $typeName: "google.protobuf.Any", typeUrl: "my.Type", value: Buffer.from("raw") } as const;
  expect(Buffer.from(unpackedData(other)).toString()).toBe("raw");
});
