import { describe, expect, test } from "vitest";
import { AppUnreachableError } from "../../app/app-unreachable-error.ts";
import type { AppChannel, InvokeCall, InvokeReply } from "../../app/types.ts";
import { ApiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { InvocationTarget } from "../../mesh/target.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { Resiliency } from "../../resiliency/types.ts";
import { InvocationBlock } from "./invocation.ts";
import { parseTarget } from "./target.ts";

const reply: InvokeReply = {
  status: { kind: "http", code: 200 },
  headers: [],
  trailers: [],
  contentType: "",
  body: new Uint8Array(0),
};

function callOf(method: string): InvokeCall {
  return { method, verb: "GET", query: "", headers: [], origin: "http", contentType: "", body: new Uint8Array(0) };
}

function setUp(
  answer: () => Promise<InvokeReply> = () => Promise.resolve(reply),
  withApp = true,
  resiliency: Pick<Resiliency, "app"> = { app: () => undefined },
) {
  const local: string[] = [];
  const outside: string[] = [];
  const counted: string[] = [];
  const remote: (InvocationTarget & { method: string })[] = [];
  const channel = {
    invoke: (call: InvokeCall) => {
      local.push(call.method);
      return answer();
    },
  } as unknown as AppChannel;
  const block = new InvocationBlock({
    appId: "me",
    namespace: "default",
    appChannel: () => (withApp ? channel : undefined),
    remote: {
      invoke: (target, call) => {
        remote.push({ ...target, method: call.method });
        return answer();
      },
    },
    endpoints: {
      baseUrlOf: (name) => (name === "shop" ? "https://shop.example" : undefined),
      invoke: (target) => {
        outside.push(target);
        return answer();
      },
    },
    resiliency,
    metrics: {
      requestReceived: (source) => void counted.push(`from ${source}`),
      answerSent: (source, status) => void counted.push(`to ${source}: ${status}`),
    },
  });
  return { block, local, remote, outside, counted };
}

describe("targets", () => {
  test("an id alone is in our namespace", () => {
    expect(parseTarget("id", "ours")).toEqual({ appId: "id", namespace: "ours" });
    expect(parseTarget("id.theirs", "ours")).toEqual({ appId: "id", namespace: "theirs" });
  });

  test("more dots and no id are errors", () => {
    expect(() => parseTarget("a.b.c", "")).toThrow("invalid app id a.b.c");
    expect(() => parseTarget("", "")).toThrow("app id is empty");
  });

  test("our own id and namespace is the app, everything else is remote, both with the canonical method", async () => {
    const { block, local, remote } = setUp();
    await block.invoke("me", callOf("a/../b"));
    await block.invoke("me.default", callOf("c/"));
    await block.invoke("me.other", callOf("/d"));
    await block.invoke("you", callOf("e"));
    expect(local).toEqual(["b", "c"]);
    expect(remote).toEqual([
      { appId: "me", namespace: "other", method: "/d" },
      { appId: "you", namespace: "default", method: "e" },
    ]);
  });
});

describe("HTTP servers outside", () => {
  test("are called by their URL or the name of their endpoint, which hides an app of that name", async () => {
    const { block, local, remote, outside } = setUp();
    await block.invoke("http://localhost:80/base", callOf("x"));
    await block.invoke("https://x.y.z", callOf("x"));
    await block.invoke("shop", callOf("x"));
    await block.invoke("shop.other", callOf("x"));
    expect(outside).toEqual(["http://localhost:80/base", "https://x.y.z", "shop", "shop"]);
    expect([...local, ...remote]).toEqual([]);
  });

  test("fail in the words of any other call", async () => {
    const { block } = setUp(() => Promise.reject(new AppUnreachableError('Get "http://x/": EOF', { aborted: false })));
    await expect(block.invoke("http://x", callOf(""))).rejects.toThrow(
      'failed to invoke, id: http://x, err: Get "http://x/": EOF',
    );
  });
});

describe("what peers send", () => {
  test("is counted with who sent it and what it was answered", async () => {
    const { block, counted } = setUp();
    await block.invokeLocal(callOf("x"), "them");
    await block.invokeLocal(callOf("x"));
    expect(counted).toEqual(["from them", "to them: 200", "from unknown", "to unknown: 200"]);
    const broken = setUp(() => Promise.reject(new Error("EOF")));
    await expect(broken.block.invokeLocal(callOf("x"), "them")).rejects.toThrow("EOF");
    expect(broken.counted).toEqual(["from them", "to them: 0"]);
  });
});

describe("errors of the API", () => {
  async function failure(run: Promise<unknown>): Promise<ApiError> {
    const error: unknown = await run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ApiError);
    return error as ApiError;
  }

  test("carry Dapr's text, 500 and Internal", async () => {
    const error = await failure(setUp(undefined, false).block.invoke("me", callOf("x")));
    expect(error.message).toBe(
      "failed to invoke, id: me, err: cannot invoke local endpoint: app channel not initialized",
    );
    expect([error.entry.code, error.httpStatus, error.grpcStatus]).toEqual([
      "ERR_DIRECT_INVOKE",
      500,
      GRPC_STATUS.INTERNAL,
    ]);
  });

  test("quote a forbidden method as a gRPC status", async () => {
    const { block, local } = setUp();
    const error = await failure(block.invoke("me", callOf("a#b")));
    expect(error.message).toBe(
      'failed to invoke, id: me, err: rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: "a#b"',
    );
    expect(local).toEqual([]);
  });

  test("are 403 when the callee's access control refuses", async () => {
    const { block } = setUp(() =>
      Promise.reject(new GrpcError(GRPC_STATUS.PERMISSION_DENIED, "access control policy has denied access")),
    );
    const error = await failure(block.invoke("you", callOf("x")));
    expect([error.httpStatus, error.message]).toEqual([
      403,
      "failed to invoke, id: you, err: rpc error: code = PermissionDenied desc = access control policy has denied access",
    ]);
  });

  test("hold the app's own failure to answer", async () => {
    const { block } = setUp(() => Promise.reject(new AppUnreachableError('Get "http://a/x": EOF', { aborted: false })));
    expect((await failure(block.invoke("me", callOf("x")))).message).toBe(
      'failed to invoke, id: me, err: Get "http://a/x": EOF',
    );
  });

  test("are statuses of their own for peers", async () => {
    const missing = await failure(setUp(undefined, false).block.invokeLocal(callOf("x")));
    expect([missing.grpcStatus, missing.message]).toEqual([GRPC_STATUS.INTERNAL, "app channel is not initialized"]);
    const invalid = await failure(setUp().block.invokeLocal(callOf("a?")));
    expect([invalid.grpcStatus, invalid.message]).toEqual([
      GRPC_STATUS.INVALID_ARGUMENT,
      'invalid method: method contains forbidden character: "a?"',
    ]);
    const broken = await failure(setUp(() => Promise.reject(new Error("EOF"))).block.invokeLocal(callOf("x")));
    expect([broken.grpcStatus, broken.message]).toEqual([GRPC_STATUS.INTERNAL, "error invoking app channel: EOF"]);
  });
});
