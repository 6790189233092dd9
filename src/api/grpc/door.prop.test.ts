import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRuntime, type Runtime } from "../../embed/create-runtime.ts";
import type { ErrorEntry } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Logger } from "../../kit/logger.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { rawMethod } from "../../net/grpc/server.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcClient } from "../../net/grpc/types.ts";
import { createH2Transport } from "../../net/h2/protocol/transport.ts";
import { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { METHOD_GROUPS } from "./groups.ts";

const RUNS = 2500;
/** A call that takes longer counts as hanging. */
const PATIENCE_MS = 5000;

/** It looks for a host of the actor's type for five seconds, as Dapr does, so that its calls are made side by side. */
const PATIENT_METHOD = "InvokeActor";
const PATIENT_MS = 30_000;
const PATIENT_CALLS = 50;

const RESOURCES = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec: { type: state.in-memory, version: v1, metadata: [] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec: { type: pubsub.in-memory, version: v1, metadata: [] }
`;

/** Without the one method whose success would end the test. */
const CONFIGURATION = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: config }
spec: { api: { denied: [{ name: shutdown, version: v1, protocol: grpc }] } }
`;

const bugs: string[] = [];
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message) => void (message.startsWith("bug:") && bugs.push(message)),
  fatal: (message) => void bugs.push(message),
  enabled: () => true,
  scope: () => logger,
};

let folder: string;
let runtime: Runtime;
let client: GrpcClient;
/**
 * Those of the catalogue; beside them an HTTP app's 418 is Unknown, bytes that cannot be decoded are Internal (as with
 * grpc-go), and an etag mismatch is Aborted.
 */
const codes = new Set<number>([GRPC_STATUS.UNKNOWN, GRPC_STATUS.INTERNAL, GRPC_STATUS.ABORTED]);

beforeAll(async () => {
  const catalogue = join(import.meta.dirname, "../../errors/catalogue");
  for (const name of readdirSync(catalogue)) {
    const exported = (await import(join(catalogue, name))) as Record<string, Record<string, ErrorEntry>>;
    for (const { grpcStatus } of Object.values(exported).flatMap((entries) => Object.values(entries))) {
      codes.add(grpcStatus);
    }
  }
  folder = await mkdtemp(join(tmpdir(), "outrigger-door-"));
  await writeFile(join(folder, "resources.yaml"), RESOURCES);
  await writeFile(join(folder, "config.txt"), CONFIGURATION);
  runtime = await createRuntime({
    appId: "app",
    grpcPort: 0,
    resourcesPaths: [folder],
    configPaths: [join(folder, "config.txt")],
    logger,
    app: (exchange) => exchange.respond(418, [], "teapot"),
  });
  client = createGrpcClient(createH2Transport(), `127.0.0.1:${runtime.sidecar.ports.grpc ?? 0}`);
});
afterAll(async () => {
  await client.close();
  await runtime.close();
  await rm(folder, { recursive: true });
});

const METHOD_NAMES = Dapr.methods.map((method) => method.name);

const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "store",
      "broker",
      "app",
      "topic",
      "key",
      "a||b",
      "",
      "upsert",
      "delete",
      "application/json",
      "rawPayload",
      "ttlInSeconds",
      "x",
      "{}",
    ),
  },
  { weight: 1, arbitrary: fc.string() },
);
const textBytes = text.map((value) => Buffer.from(value));

/** Fields as protobuf writes them, nested up to three deep, with numbers and types that may fit the message or not. */
const { message } = fc.letrec<{ message: Buffer }>((tie) => ({
  message: fc
    .array(fc.oneof({ depthSize: "small", maxDepth: 3 }, leaf(), field(2, tie("message"))), { maxLength: 6 })
    .map((fields) => Buffer.concat(fields)),
}));

function leaf(): fc.Arbitrary<Buffer> {
  const garbage = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  const eight = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof(field(2, textBytes), field(2, textBytes), field(2, garbage), varint(), fixed(eight));
}

function field(wireType: number, payload: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(
      fc.integer({ min: 1, max: 9 }),
      payload.filter((bytes) => bytes.length < 128),
    )
    .map(([number, bytes]) => Buffer.concat([Buffer.from([(number << 3) | wireType, bytes.length]), bytes]));
}

function varint(): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.nat({ max: 127 }))
    .map(([number, value]) => Buffer.from([number << 3, value]));
}

function fixed(eight: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.integer({ min: 1, max: 9 }), eight)
    .map(([number, bytes]) => Buffer.concat([Buffer.from([(number << 3) | 1]), bytes]));
}

const bytes = fc.oneof(
  { weight: 4, arbitrary: message },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one)) },
);
const method = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...Object.keys(METHOD_GROUPS)).filter(isQuick) },
  { weight: 1, arbitrary: fc.constantFrom(...METHOD_NAMES, "Nonsense").filter(isQuick) },
);

function isQuick(name: string): boolean {
  return name !== PATIENT_METHOD;
}

async function codeOf(name: string, request: Buffer, timeoutMs = PATIENCE_MS): Promise<number> {
  try {
    await client.unary(rawMethod(`/${Dapr.typeName}/${name}`, "unary"), request, { timeoutMs });
    return GRPC_STATUS.OK;
  } catch (error) {
    if (GrpcError.is(error)) {
      return error.code;
    }
    throw error;
  }
}

it("every call ends, and every status is one of the catalogue", async () => {
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(method, bytes, async (name, request) => {
      const code = await codeOf(name, request);
      seen.add(code);
      if (code !== GRPC_STATUS.OK) {
        expect([...codes]).toContain(code);
      }
      expect(bugs).toEqual([]);
    }),
    { numRuns: RUNS },
  );
  // The generator is worth something only as long as it reaches successes, refusals and what cannot be decoded.
  expect([...seen]).toEqual(
    expect.arrayContaining([
      GRPC_STATUS.OK,
      GRPC_STATUS.INVALID_ARGUMENT,
      GRPC_STATUS.UNIMPLEMENTED,
      GRPC_STATUS.INTERNAL,
    ]),
  );
  expect(await codeOf("GetMetadata", Buffer.alloc(0))).toBe(GRPC_STATUS.OK);
});

it("so does every call of an actor", async () => {
  const requests = fc.sample(bytes, PATIENT_CALLS);
  const found = await Promise.all(requests.map((request) => codeOf(PATIENT_METHOD, request, PATIENT_MS)));
  expect(found.filter((code) => !codes.has(code))).toEqual([]);
  expect(bugs).toEqual([]);
});
