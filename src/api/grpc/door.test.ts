import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { testControl } from "../../blocks/control/control.fixture.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { type ApiError, apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { metadataOf } from "../../net/grpc/metadata.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { MemoryTransport } from "../../net/h2/memory.ts";
import { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import {
  GetMetadataRequestSchema,
  SetMetadataRequestSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/metadata_pb.js";
import { GetStateRequestSchema } from "../../wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { controlHandlers } from "./control.ts";
import { createGrpcDoor, type GrpcCallRecord, type GrpcDoorOptions } from "./door.ts";
import { METHOD_GROUPS } from "./groups.ts";

const methods = methodsOf(Dapr);
const getState = create(GetStateRequestSchema, { storeName: "store", key: "key" });
const getMetadata = create(GetMetadataRequestSchema);

function testDoor(options: Partial<GrpcDoorOptions> = {}) {
  const calls: GrpcCallRecord[] = [];
  const errors: ApiError[] = [];
  const { control } = testControl();
  const transport = new MemoryTransport();
  const door = createGrpcDoor({
    handlers: controlHandlers(control),
    unknown: ({ path }) => {
      throw new GrpcError(GRPC_STATUS.UNIMPLEMENTED, path);
    },
    apiToken: "",
    accessRules: { allowed: [], denied: [] },
    maxBodyBytes: 1024,
    observer: { callDone: (record) => void calls.push(record), errorAnswered: (error) => void errors.push(error) },
    clock: new VirtualClock(),
    logger: silentLogger,
    ...options,
  });
  transport.bind("sidecar", door.accept);
  return { client: createGrpcClient(transport, "sidecar", { userAgent: "tester" }), calls, errors, control };
}

describe("what a handler throws", () => {
  it("of the catalogue is answered as it is and told to the observer", async () => {
    const failure = apiError(commonErrors.badRequest, { reason: "no" });
    const { client, calls, errors } = testDoor({ handlers: { getState: () => Promise.reject(failure) } });
    await expect(client.unary(methods.getState, getState)).rejects.toMatchObject({
      code: GRPC_STATUS.INVALID_ARGUMENT,
      message: "invalid request: no",
    });
    expect(errors).toEqual([failure]);
    expect(calls).toMatchObject([
      {
        path: "/dapr.proto.runtime.v1.Dapr/GetState",
        userAgent: "tester",
        status: { code: GRPC_STATUS.INVALID_ARGUMENT },
      },
    ]);
  });

  it("of any other kind is a bug: Internal, and logged with its stack", async () => {
    const logged: string[] = [];
    const logger: Logger = { ...silentLogger, error: (message) => void logged.push(message) };
    const { client, errors } = testDoor({
      handlers: { getState: () => Promise.reject(new TypeError("oops")) },
      logger,
    });
    await expect(client.unary(methods.getState, getState)).rejects.toMatchObject({
      code: GRPC_STATUS.INTERNAL,
      message: "oops",
    });
    expect(logged[0]).toMatch(/^bug: a gRPC call failed.*TypeError: oops\n\s+at /s);
    expect(errors).toEqual([]);
  });
});

it("methods without a handler are Unimplemented", async () => {
  const { client } = testDoor();
  await expect(client.unary(methods.getState, getState)).rejects.toMatchObject({ code: GRPC_STATUS.UNIMPLEMENTED });
});

it("a message over the limit is refused", async () => {
  const { client } = testDoor();
  const request = create(SetMetadataRequestSchema, { key: "k", value: "x".repeat(2000) });
  await expect(client.unary(methods.setMetadata, request)).rejects.toMatchObject({
    code: GRPC_STATUS.RESOURCE_EXHAUSTED,
  });
});

it("every method of the groups is one of Dapr's, and every handler has a group for its access rules", () => {
  const names = Dapr.methods.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(METHOD_GROUPS)));
  const handlers = Object.keys(controlHandlers(testControl().control)).map((name) =>
    methods[name as keyof typeof methods].path.split("/").at(-1),
  );
  expect(Object.keys(METHOD_GROUPS)).toEqual(expect.arrayContaining(handlers));
});

describe("the token", () => {
  it("keeps calls without it out, says what was wrong, and counts them", async () => {
    const { client, errors } = testDoor({ apiToken: "secret" });
    await expect(client.unary(methods.getMetadata, getMetadata)).rejects.toMatchObject({
      code: GRPC_STATUS.UNAUTHENTICATED,
      message: "Unauthorized",
    });
    const wrong = { metadata: metadataOf({ "dapr-api-token": "wrong" }) };
    await expect(client.unary(methods.getMetadata, getMetadata, wrong)).rejects.toMatchObject({
      code: GRPC_STATUS.UNAUTHENTICATED,
    });
    const right = { metadata: metadataOf({ "dapr-api-token": "secret" }) };
    expect((await client.unary(methods.getMetadata, getMetadata, right)).response.id).toBe("app");
    expect(errors.map((error) => error.details[0])).toMatchObject([
      { metadata: { "http.code": "401", "http.error_message": "missing api token in request metadata" } },
      { metadata: { "http.code": "401", "http.error_message": "authentication error: api token mismatch" } },
    ]);
  });
});

describe("access rules", () => {
  const rule = (name: string, version: string, protocol = "grpc") => ({ name, version, protocol });

  it("make methods of a denied group, or of none that is allowed, Unimplemented", async () => {
    for (const accessRules of [
      { allowed: [], denied: [rule("metadata", "v1")] },
      { allowed: [rule("state", "v1")], denied: [] },
    ]) {
      const { client } = testDoor({ accessRules });
      await expect(client.unary(methods.getMetadata, getMetadata)).rejects.toMatchObject({
        code: GRPC_STATUS.UNIMPLEMENTED,
        message: "Not Implemented",
      });
    }
  });

  it("for HTTP or another version do not", async () => {
    const { client } = testDoor({
      accessRules: { allowed: [], denied: [rule("metadata", "v1", "http"), rule("metadata", "v1alpha1")] },
    });
    expect((await client.unary(methods.getMetadata, getMetadata)).response.id).toBe("app");
  });
});
