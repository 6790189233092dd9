import { expect, test } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { HttpClientError } from "../net/http/errors.ts";
import type { HttpRequest, HttpResponse } from "../net/http/types.ts";
import { HttpAppChannel } from "./http-channel.ts";

function setUp(answer: Partial<HttpResponse> | Error) {
  const requests: HttpRequest[] = [];
  const client = {
    request: async (request: HttpRequest): Promise<HttpResponse> => {
      requests.push(request);
      if (answer instanceof Error) {
        throw answer;
      }
      return { status: 200, headers: [], body: new Uint8Array(0), ...answer };
    },
    close: () => Promise.resolve(),
  };
  const channel = new HttpAppChannel("http", client, {
    appId: "me",
    address: "http://127.0.0.1:3000",
    appToken: "token",
    maxConcurrency: 0,
    healthPath: "healthz",
    maxBodyBytes: 0,
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  return { requests, channel };
}

const { signal } = new AbortController();
const target = { name: "in", route: "/path to/in?x=1" };
const event = { ...target, data: Buffer.from("hi"), metadata: { Key: "v" } };
const refused = new HttpClientError("connect", "no", Object.assign(new Error("no"), { code: "ECONNREFUSED" }));

test.each([
  [200, true],
  [204, true],
  [405, true],
  [404, false],
  [500, false],
  [302, false],
])("an app that answers OPTIONS with %i takes the binding: %s", async (status, takes) => {
  const { requests, channel } = setUp({ status });
  expect(await channel.takesBinding(target, signal)).toBe(takes);
  expect(requests[0]).toMatchObject({
    method: "OPTIONS",
    target: "/path%20to/in?x=1",
    headers: ["dapr-api-token", "token", "content-type", "application/json"],
  });
});

test("an app that does not answer is told of by its route", async () => {
  await expect(setUp(refused).channel.takesBinding(target, signal)).rejects.toThrow(
    'could not invoke OPTIONS method on input binding subscription endpoint "/path to/in?x=1": Options "http://127.0.0.1:3000/path%20to/in?x=1": dial tcp 127.0.0.1:3000: connect: connection refused',
  );
});

test("an event is a POST with the metadata as headers, and its answer is read", async () => {
  const { requests, channel } = setUp({ body: Buffer.from('{"to":["out"],"data":1}') });
  expect(await channel.deliverBindingEvent(event, signal)).toMatchObject({ to: ["out"], data: Buffer.from("1") });
  expect(requests[0]).toMatchObject({
    method: "POST",
    target: "/path%20to/in?x=1",
    body: event.data,
    headers: ["key", "v", "content-type", "application/json", "dapr-api-token", "token"],
  });
});

test("an event that the app refuses, or never gets, is an error with its reason", async () => {
  await expect(
    setUp({ status: 500, body: Buffer.from("why") }).channel.deliverBindingEvent(event, signal),
  ).rejects.toThrow("fails to send binding event to http app channel, status code: 500 body: why");
  await expect(setUp(refused).channel.deliverBindingEvent(event, signal)).rejects.toThrow("error invoking app: Post ");
});
