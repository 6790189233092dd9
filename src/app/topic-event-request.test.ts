import { expect, test } from "vitest";
import { TopicEventDataError, topicEventRequest } from "./topic-event-request.ts";
import type { TopicEvent } from "./types.ts";

function eventOf(
  envelope: string,
  fields: Record<string, unknown> = JSON.parse(envelope) as Record<string, unknown>,
): TopicEvent {
  return {
    pubsubName: "p",
    topic: "t",
    path: "/r",
    envelope: Buffer.from(envelope),
    fields,
    rawPayload: false,
    metadata: {},
  };
}

const dataOf = (envelope: string): string => Buffer.from(topicEventRequest(eventOf(envelope)).data).toString();

test("attributes have their fields, the rest goes into extensions", () => {
  const request = topicEventRequest(
    eventOf(
      '{"id":"1","source":"s","type":"y","specversion":"1.0","datacontenttype":"text/plain","data":"héllo","topic":"x","pubsubname":"q","n":5,"o":{"a":[null]}}',
    ),
  );
  expect(request).toMatchObject({
    id: "1",
    source: "s",
    type: "y",
    specVersion: "1.0",
    dataContentType: "text/plain",
    topic: "t",
    pubsubName: "p",
    path: "/r",
    extensions: { topic: "x", pubsubname: "q", n: 5, o: { a: [null] } },
  });
  expect(Buffer.from(request.data).toString()).toBe("héllo");
});

test.each([
  ['{"datacontenttype":"application/json","data": {"n": 12345678901234567890}}', '{"n": 12345678901234567890}'],
  ['{"datacontenttype":"application/cloudevents+json; charset=utf-8","data":[1],"x":1}', "[1]"],
  ['{"datacontenttype":"application/json","x":{"data":1},"data":"text"}', '"text"'],
  ['{"datacontenttype":"application/json","data":1,"data":2}', "2"],
  ['{"datacontenttype":"application/octet-stream","data_base64":"aGk="}', "hi"],
  ['{"datacontenttype":"text/plain","data":null}', ""],
  ['{"datacontenttype":"foo/bar","data":"dropped"}', ""],
  ['{"data":"no type"}', ""],
  ['{"id":5}', ""],
])("the data of %s", (envelope, data) => {
  expect(dataOf(envelope)).toBe(data);
});

test("bytes of a binary-mode event pass", () => {
  const data = Buffer.from([1, 2]);
  expect(topicEventRequest(eventOf("", { datacontenttype: "application/octet-stream", data })).data).toEqual(data);
});

test.each(['{"datacontenttype":"text/plain","data":5}', '{"data_base64":5}', '{"data_base64":"a*"}'])(
  "%s is refused",
  (envelope) => {
    expect(() => topicEventRequest(eventOf(envelope))).toThrow(TopicEventDataError);
  },
);
