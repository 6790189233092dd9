import { expect, test } from "vitest";
import {
  isBinaryContentType,
  isCloudEventContentType,
  isJsonContentType,
  isProtobufContentType,
  isTextContentType,
} from "./content-type.ts";

const kinds = {
  json: isJsonContentType,
  cloudEvent: isCloudEventContentType,
  text: isTextContentType,
  binary: isBinaryContentType,
  protobuf: isProtobufContentType,
};

test.each([
  ["application/json", ["json"]],
  ["Application/JSON; charset=utf-8", ["json"]],
  ["application/jsonx", []],
  ["application/json ", []],
  ["application/cloudevents+json", ["cloudEvent"]],
  ["text/plain", ["text"]],
  ["TEXT/html;x", ["text"]],
  ["application/xml;charset=x", ["text"]],
  ["application/octet-stream", ["binary"]],
  ["application/x-protobuf", ["protobuf"]],
  ["application/cloudevents+protobuf", ["protobuf"]],
  ["", []],
  ["textplain", []],
])("%s is %j", (contentType, expected) => {
  expect(
    Object.entries(kinds)
      .filter(([, is]) => is(contentType))
      .map(([name]) => name),
  ).toEqual(expected);
});
