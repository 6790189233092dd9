import { describe, expect, it } from "vitest";
import { NEVER_CANCELLED } from "../kit/cancel-signal.ts";
import { ActorAppError, type ActorTick, DeactivationError, TicksCancelledError } from "./actor-host.ts";
import { HttpActorHost } from "./http-actor-host.ts";
import type { AppChannel, InvokeCall, InvokeReply } from "./types.ts";

interface Answer {
  readonly code?: number;
  readonly headers?: readonly string[];
  readonly body?: string;
}

const CALL = { method: "m", query: "q=1", headers: ["k", "v"], contentType: "text/plain", body: Buffer.from("in") };
const TICK: ActorTick = {
  kind: "timer",
  name: "n",
  dueTime: "1s",
  period: "2s",
  callback: "cb",
  data: Buffer.from('{ "a": 1 }'),
};

function setUp({ code = 200, headers = [], body = "" }: Answer = {}, maxBodyBytes = 0) {
  const calls: InvokeCall[] = [];
  const channel = {
    async invoke(call: InvokeCall): Promise<InvokeReply> {
      calls.push(call);
      return { status: { kind: "http", code }, headers, trailers: [], contentType: "", body: Buffer.from(body) };
    },
  };
  return { host: new HttpActorHost(channel as unknown as AppChannel, maxBodyBytes), calls };
}

describe("a call", () => {
  it("is a PUT on the actor's path", async () => {
    const { host, calls } = setUp({ headers: ["x", "y"], body: "out" });
    const reply = await host.invoke("t", "a", CALL, NEVER_CANCELLED);
    expect(calls).toMatchObject([{ ...CALL, verb: "PUT", method: "actors/t/a/method/m", origin: "http" }]);
    expect([Buffer.from(reply.body).toString(), reply.headers, reply.isError]).toEqual(["out", ["x", "y"], false]);
  });

  it.each([
    [404, "actor method not found: actors/t/a/method/m"],
    [500, "error from actor service: (500) no"],
    [201, "error from actor service: (201) no"],
  ])("answered with %i fails in Dapr's words", async (code, reason) => {
    const { host } = setUp({ code, body: "no" });
    await expect(host.invoke("t", "a", CALL, NEVER_CANCELLED)).rejects.toThrow(new ActorAppError(reason));
  });

  it("whose answer says by a header that the actor failed gives that answer back", async () => {
    const { host } = setUp({ headers: ["X-DaprErrorResponseHeader", "true"], body: "why" });
    const reply = await host.invoke("t", "a", CALL, NEVER_CANCELLED);
    expect([reply.isError, Buffer.from(reply.body).toString()]).toEqual([true, "why"]);
  });

  it("has an answer of so many bytes at most", async () => {
    const { host } = setUp({ body: "12345" }, 4);
    await expect(host.invoke("t", "a", CALL, NEVER_CANCELLED)).rejects.toThrow("4");
  });
});

describe("a tick", () => {
  it.each([
    [
      "timer",
      "actors/t/a/method/timer/n",
      '{"data":{"a":1},"callback":"cb","dueTime":"1s","period":"2s"}',
      '{"callback":"cb","dueTime":"1s","period":"2s"}',
    ],
    [
      "reminder",
      "actors/t/a/method/remind/n",
      '{"data":{"a":1},"dueTime":"1s","period":"2s"}',
      '{"dueTime":"1s","period":"2s"}',
    ],
  ] as const)("of a %s is a call of Dapr's path, with and without data", async (kind, method, full, bare) => {
    const { host, calls } = setUp();
    await host.fire("t", "a", { ...TICK, kind }, NEVER_CANCELLED);
    await host.fire("t", "a", { ...TICK, kind, data: undefined }, NEVER_CANCELLED);
    expect(calls).toMatchObject([
      { method, verb: "PUT", contentType: "application/json" },
      { method, verb: "PUT", contentType: "application/json" },
    ]);
    expect(calls.map(({ body }) => Buffer.from(body as Uint8Array).toString())).toEqual([full, bare]);
  });

  it("keeps within its actor, whatever its name is", async () => {
    const { host, calls } = setUp();
    await host.fire("t", "a", { ...TICK, name: "../../../b/method/m" }, NEVER_CANCELLED);
    expect(calls[0]?.method.startsWith("actors/t/a/method/")).toBe(true);
  });

  it.each([
    [{ headers: ["X-DaprReminderCancel", "true"] }, new TicksCancelledError()],
    [{ headers: ["X-DaprErrorResponseHeader", "true"] }, new ActorAppError("actor error with details in body")],
    [{ code: 500, body: "no" }, new ActorAppError("error from actor service: (500) no")],
  ])("answered with %j fails", async (answer, error) => {
    const { host } = setUp(answer);
    await expect(host.fire("t", "a", TICK, NEVER_CANCELLED)).rejects.toThrow(error);
  });
});

describe("a deactivation", () => {
  it("is a DELETE of the actor", async () => {
    const { host, calls } = setUp();
    await host.deactivate("t", "a");
    expect(calls).toMatchObject([{ method: "actors/t/a", verb: "DELETE" }]);
  });

  it("that the app refuses says with which code", async () => {
    const { host } = setUp({ code: 500, body: "no" });
    await expect(host.deactivate("t", "a")).rejects.toMatchObject({
      name: "DeactivationError",
      message: "error from actor service: (500) no",
      reason: "status_code_500",
    });
  });

  it("is not told to an app that has ended with its actors", async () => {
    const { host, calls } = setUp();
    host.left();
    await host.deactivate("t", "a");
    expect(calls).toEqual([]);
  });

  it("of an app that is gone fails too", async () => {
    const channel = { invoke: () => Promise.reject(new Error("refused")) } as unknown as AppChannel;
    const failure = new HttpActorHost(channel, 0).deactivate("t", "a");
    await expect(failure).rejects.toThrow(new DeactivationError("refused", "invoke"));
  });
});
