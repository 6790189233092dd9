import { expect, test } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { MemoryTransport } from "../h2/memory.ts";
import { createGrpcClient } from "./client.ts";
import { metadataOf } from "./metadata.ts";
import { GrpcServer, rawMethod } from "./server.ts";
import { GrpcError } from "./status.ts";
import type { CallOptions, GrpcClient, RetryPolicy, ServerCall } from "./types.ts";

const method = rawMethod("/test.Echo/Unary", "unary");
const message = Buffer.from("x");
const policy: RetryPolicy = {
  attemptsMax: 3,
  codes: [GRPC_STATUS.UNAVAILABLE],
  delayMs: 1,
  delayMsMax: 4,
  multiplier: 2,
};

/** A server whose answers are what `answer` makes of the number of the attempt. */
function clientOf(answer: (attempt: number, call: ServerCall) => Uint8Array): {
  client: GrpcClient;
  attempts: (string | undefined)[];
} {
  const attempts: (string | undefined)[] = [];
  const transport = new MemoryTransport();
  const server = new GrpcServer();
  server.add(method, (_request, call) => {
    attempts.push(call.metadata.get("grpc-previous-rpc-attempts"));
    return answer(attempts.length, call);
  });
  transport.bind("peer", server.accept);
  return { client: createGrpcClient(transport, "peer"), attempts };
}

function fail(code: GrpcError["code"], trailers: Readonly<Record<string, string>> = {}): never {
  throw new GrpcError(code, "no", { metadata: metadataOf(trailers) });
}

async function codeOf(client: GrpcClient, options: CallOptions): Promise<number> {
  try {
    await client.unary(method, message, options);
    return GRPC_STATUS.OK;
  } catch (error) {
    return (error as GrpcError).code;
  }
}

test("a call is repeated with its metadata and the number of attempts before", async () => {
  const { client, attempts } = clientOf((attempt, call) => {
    expect(call.metadata.get("k")).toBe("v");
    return attempt < 3 ? fail(GRPC_STATUS.UNAVAILABLE) : message;
  });
  const options = { retry: policy, metadata: metadataOf({ k: "v" }) };
  expect((await client.unary(method, message, options)).response).toEqual(message);
  expect(attempts).toEqual([undefined, "1", "2"]);
});

test("not without a policy, not for other statuses, not beyond the attempts", async () => {
  const unavailable = clientOf(() => fail(GRPC_STATUS.UNAVAILABLE));
  expect(await codeOf(unavailable.client, {})).toBe(GRPC_STATUS.UNAVAILABLE);
  expect(unavailable.attempts).toHaveLength(1);
  expect(await codeOf(unavailable.client, { retry: policy })).toBe(GRPC_STATUS.UNAVAILABLE);
  expect(unavailable.attempts).toHaveLength(4);
  const internal = clientOf(() => fail(GRPC_STATUS.INTERNAL));
  expect(await codeOf(internal.client, { retry: policy })).toBe(GRPC_STATUS.INTERNAL);
  expect(internal.attempts).toHaveLength(1);
});

test("not once the answer has begun", async () => {
  const { client, attempts } = clientOf((_attempt, call) => {
    call.sendHeaders();
    return fail(GRPC_STATUS.UNAVAILABLE);
  });
  expect(await codeOf(client, { retry: policy })).toBe(GRPC_STATUS.UNAVAILABLE);
  expect(attempts).toHaveLength(1);
});

test("the server's pushback forbids it, or sets the delay", async () => {
  const forbidden = clientOf(() => fail(GRPC_STATUS.UNAVAILABLE, { "grpc-retry-pushback-ms": "-1" }));
  expect(await codeOf(forbidden.client, { retry: policy })).toBe(GRPC_STATUS.UNAVAILABLE);
  expect(forbidden.attempts).toHaveLength(1);
  const delayed = clientOf((attempt) =>
    attempt === 1 ? fail(GRPC_STATUS.UNAVAILABLE, { "grpc-retry-pushback-ms": "2" }) : message,
  );
  expect(await codeOf(delayed.client, { retry: { ...policy, delayMs: 3_600_000, delayMsMax: 3_600_000 } })).toBe(0);
});

test("a delay beyond the deadline is not waited for; each attempt has what is left of the time", async () => {
  const left: (number | undefined)[] = [];
  const { client, attempts } = clientOf((_attempt, call) => {
    left.push(call.timeoutMs);
    return fail(GRPC_STATUS.UNAVAILABLE);
  });
  const slow = { ...policy, delayMs: 60_000, delayMsMax: 60_000 };
  expect(await codeOf(client, { retry: slow, timeoutMs: 30_000 })).toBe(GRPC_STATUS.UNAVAILABLE);
  expect(attempts).toHaveLength(1);
  expect(await codeOf(client, { retry: policy, timeoutMs: 30_000 })).toBe(GRPC_STATUS.UNAVAILABLE);
  expect(left).toHaveLength(4);
  for (const ms of left) expect(ms).toBeLessThanOrEqual(30_001);
});

test("the caller's signal ends the delay", async () => {
  const cancellation = new Cancellation();
  const { client, attempts } = clientOf(() => {
    setTimeout(() => cancellation.abort(new Error("enough")), 1);
    return fail(GRPC_STATUS.UNAVAILABLE);
  });
  const slow = { ...policy, delayMs: 60_000, delayMsMax: 60_000 };
  expect(await codeOf(client, { retry: slow, signal: cancellation })).toBe(GRPC_STATUS.CANCELLED);
  expect(attempts).toHaveLength(1);
});
