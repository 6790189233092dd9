import { expect, it } from "vitest";
import { packedData } from "../../mesh/reminder-message.ts";
import { JsonBodyError } from "./json-decoder.ts";
import { decodeReminder, reminderJson } from "./reminder-messages.ts";

const decode = (text: string) => decodeReminder(Buffer.from(text));

it("a reminder replaces one of its name unless it says otherwise", () => {
  expect([decode("{}").overwrite, decode('{"overwrite":true}').overwrite]).toEqual([true, true]);
  expect(decode('{"Overwrite":false,"dueTime":"1s"}')).toMatchObject({ overwrite: false, dueTime: "1s" });
});

it.each([
  ["{}", undefined],
  ['{"failurePolicy":null}', undefined],
  ['{"failurePolicy":{"drop":{}}}', { case: "drop" }],
  ['{"failurePolicy":{"constant":{"interval":"3s","maxRetries":2}}}', { case: "constant", value: { maxRetries: 2 } }],
  ['{"failure_policy":{"constant":{"interval":"3s"}}}', { case: "constant" }],
])("%s has this failure policy", (text, policy) => {
  const found = decode(text).failurePolicy?.policy;
  if (policy === undefined) {
    expect(found).toBeUndefined();
  } else {
    expect(found).toMatchObject(policy);
  }
});

it.each(["[]", '{"failurePolicy":{"constant":{"interval":"soon"}}}', '{"dueTime":1}'])("%s is no body", (text) => {
  expect(() => decode(text)).toThrow(JsonBodyError);
});

it("a reminder is told in the order of Dapr's encoder, with what it has", () => {
  const ref = { type: "t", id: "a", name: "n" };
  const none = { dueTime: undefined, period: undefined, ttl: undefined, data: undefined };
  expect(reminderJson({ ...ref, ...none })).toBe('{"actorID":"a","actorType":"t"}');
  const { typeUrl, value } = packedData(Buffer.from('{ "x": 1 }'));
  const full = { ...ref, dueTime: "1s", period: "@every 2s", ttl: "3s", data: { typeUrl, value } };
  expect(reminderJson(full)).toBe(
    '{"actorID":"a","actorType":"t","data":{"x":1},"dueTime":"1s","period":"@every 2s","ttl":"3s"}',
  );
});
