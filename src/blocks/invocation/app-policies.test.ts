import { describe, expect, test } from "vitest";
import type { InvokeCall, InvokeReply, InvokeStatus } from "../../app/types.ts";
import { Cancellation, type CancelSignal, NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { PolicyError } from "../../resiliency/policy-error.ts";
import type { FailureStatus, Policy, PolicyRun } from "../../resiliency/types.ts";
import { callUnderPolicy } from "./app-policies.ts";

function callOf(more: Partial<InvokeCall> = {}): InvokeCall {
  return {
    method: "m",
    verb: "POST",
    query: "",
    headers: [],
    origin: "http",
    contentType: "",
    body: new Uint8Array(0),
    ...more,
  };
}

function replyOf(status: InvokeStatus, body: InvokeReply["body"] = new Uint8Array(0)): InvokeReply {
  return { status, headers: [], trailers: [], contentType: "", body };
}

/** A policy that makes one attempt with a signal of its own and keeps how it was asked. */
function policyOf(signal: CancelSignal = NEVER_CANCELLED) {
  const asked: PolicyRun<InvokeReply>[] = [];
  const policy: Policy = {
    repeats: true,
    run: (attempt, run) => {
      asked.push(run as PolicyRun<InvokeReply>);
      return attempt(signal, 1);
    },
  };
  return { policy, asked };
}

async function judged(origin: InvokeCall["origin"], status: InvokeStatus): Promise<FailureStatus | undefined> {
  const { policy, asked } = policyOf();
  const reply = await callUnderPolicy(policy, callOf({ origin }), () => Promise.resolve(replyOf(status)));
  return asked[0]?.judge?.(reply);
}

describe("a failure", () => {
  test("is what an HTTP app answers outside 200 to 399, but nothing of a gRPC app, for the HTTP API", async () => {
    expect(await judged("http", { kind: "http", code: 200 })).toBeUndefined();
    expect(await judged("http", { kind: "http", code: 302 })).toBeUndefined();
    expect(await judged("http", { kind: "http", code: 404 })).toEqual({ kind: "http", code: 404 });
    expect(await judged("http", { kind: "grpc", code: 14, message: "" })).toBeUndefined();
  });

  test("is what has a gRPC code or stands for one, for the gRPC API", async () => {
    expect(await judged("grpc", { kind: "http", code: 204 })).toBeUndefined();
    expect(await judged("grpc", { kind: "http", code: 503 })).toEqual({ kind: "grpc", code: 14 });
    expect(await judged("grpc", { kind: "grpc", code: 5, message: "" })).toEqual({ kind: "grpc", code: 5 });
    expect(await judged("grpc", { kind: "grpc", code: 0, message: "" })).toBeUndefined();
  });

  test("that is an error has the status Internal for the gRPC API alone", async () => {
    const { policy, asked } = policyOf();
    await callUnderPolicy(policy, callOf({ origin: "grpc" }), () =>
      Promise.resolve(replyOf({ kind: "http", code: 200 })),
    );
    await callUnderPolicy(policy, callOf(), () => Promise.resolve(replyOf({ kind: "http", code: 200 })));
    expect(asked.map((run) => run.statusOf?.(new Error()))).toEqual([{ kind: "grpc", code: 13 }, undefined]);
  });
});

test("a streamed body is sent once, a whole one as often as the policy says", async () => {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
  }
  const { policy, asked } = policyOf();
  const attempt = () => Promise.resolve(replyOf({ kind: "http", code: 200 }));
  await callUnderPolicy(policy, callOf({ body: body() }), attempt);
  await callUnderPolicy(policy, callOf(), attempt);
  expect(asked.map((run) => run.repeatable)).toEqual([false, true]);
});

test("an answer that nobody gets is given up", async () => {
  let freed = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from("x");
      yield Buffer.from("y");
    } finally {
      freed = true;
    }
  }
  const { policy, asked } = policyOf();
  const reply = replyOf({ kind: "http", code: 500 }, body());
  await callUnderPolicy(policy, callOf(), () => Promise.resolve(reply));
  await (reply.body as AsyncGenerator<Uint8Array>).next();
  asked[0]?.discard?.(reply);
  await Promise.resolve();
  await Promise.resolve();
  expect(freed).toBe(true);
});

test.each(["attempt", "caller"])("the end of the %s ends what it has begun", async (whose) => {
  const attemptSignal = new Cancellation();
  const callerSignal = new Cancellation();
  let seen: CancelSignal | undefined;
  await callUnderPolicy(policyOf(attemptSignal).policy, callOf({ signal: callerSignal }), (call) => {
    seen = call.signal;
    return Promise.resolve(replyOf({ kind: "http", code: 200 }));
  });
  expect(seen?.aborted).toBe(false);
  (whose === "attempt" ? attemptSignal : callerSignal).abort(new Error("over"));
  expect(seen?.aborted).toBe(true);
  expect(seen?.reason.message).toBe("over");
});

describe("the call's span", () => {
  const policy = (attempts: number, refusal?: PolicyError): Policy => ({
    repeats: true,
    async run(attempt) {
      for (let number = 1; number < attempts; number += 1) {
        await attempt(NEVER_CANCELLED, number);
      }
      if (refusal !== undefined) {
        throw refusal;
      }
      return attempt(NEVER_CANCELLED, attempts);
    },
  });
  const answer = () => Promise.resolve(replyOf({ kind: "http", code: 200 }));

  test("says how many attempts there were", async () => {
    const tracer = new RecordingTracer();
    await callUnderPolicy(policy(3), callOf({ trace: tracer.start("s", 3, undefined) }), answer);
    expect(tracer.spans[0]?.attributes).toEqual({ "dapr.resiliency.attempts": 3 });
  });

  test("says what the policy refused", async () => {
    const tracer = new RecordingTracer();
    const call = callOf({ trace: tracer.start("s", 3, undefined) });
    await expect(callUnderPolicy(policy(2, new PolicyError("breakerOpen")), call, answer)).rejects.toThrow();
    expect(tracer.spans[0]?.attributes).toEqual({
      "dapr.resiliency.attempts": 1,
      "dapr.resiliency.refusal": "breakerOpen",
    });
  });
});
