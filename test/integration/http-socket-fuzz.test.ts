import { connect } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { PROPERTY_SEED } from "../property-seed.ts";

/** Connections per port, and how many at a time. */
const CONNECTIONS = 1000;
const CONCURRENCY = 25;
/** A connection that neither ends nor answers by then is cut from our side, in milliseconds. */
const PATIENCE_MS = 150;

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAGMENTS = [
  "GET /v1.0/healthz HTTP/1.1\r\n",
  "POST /v1.0/state/store HTTP/1.1\r\n",
  "PUT /v1.0/metadata/a HTTP/1.1\r\n",
  "GET /%zz HTTP/1.1\r\n",
  "GET  HTTP/1.1\r\n",
  "BREW / HTTP/9.9\r\n",
  "host: a\r\n",
  "content-length: 5\r\n",
  "content-length: -1\r\n",
  "content-length: 5\r\ncontent-length: 6\r\n",
  "transfer-encoding: chunked\r\n",
  "transfer-encoding: gzip, chunked\r\n",
  "expect: 100-continue\r\n",
  "connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n",
  "dapr-app-id: app\r\n",
  "a:\0\r\n",
  ": b\r\n",
  "x: " + "y".repeat(5000) + "\r\n",
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "ffffffffffffffff\r\n",
  "-1\r\n",
  "[{}]",
  "\0\0\0",
  PREFACE,
  PREFACE.slice(0, 10),
] as const;

const frame = fc
  .record({
    type: fc.nat({ max: 12 }),
    flags: fc.nat({ max: 255 }),
    stream: fc.constantFrom(0, 1, 2, 3, 0x7fffffff),
    payload: fc.uint8Array({ maxLength: 40 }),
    lie: fc.constantFrom(0, 0, 1, 0xffffff),
  })
  .map(({ type, flags, stream, payload, lie }) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(Math.min(payload.length + lie, 0xffffff), 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  });
const http1 = fc
  .array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...FRAGMENTS) }, { weight: 1, arbitrary: fc.string() }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => Buffer.from(parts.join("")));
const http2 = fc.array(frame, { maxLength: 6 }).map((frames) => Buffer.concat([Buffer.from(PREFACE), ...frames]));
const garbage = fc.oneof(
  { weight: 3, arbitrary: http1 },
  { weight: 3, arbitrary: http2 },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
);

/** Sends the bytes, ends its side half of the time, and waits for an answer's first bytes, an end, or the limit. */
function throwAt(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.on("error", () => undefined);
    socket.on("data", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
    if (bytes.length % 2 === 0) {
      socket.end(bytes);
    } else {
      socket.write(bytes);
    }
  });
}

async function bombard(port: number, seed: number): Promise<void> {
  const pieces = fc.sample(garbage, { numRuns: CONNECTIONS, seed });
  const workers = Array.from({ length: CONCURRENCY }, async () => {
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      await throwAt(port, piece);
    }
  });
  await Promise.all(workers);
}

it("garbage on the HTTP and gRPC ports neither ends the process nor keeps the sidecar from answering", async () => {
  const seed = PROPERTY_SEED;
  console.info(`seed ${seed}`);
  await using one = await startTestSidecar({ resources: IN_MEMORY, publicPort: 0 });
  const { http, grpc, internalGrpc } = one.sidecar.ports;
  await Promise.all([http, grpc, internalGrpc].map((port, index) => bombard(port ?? 0, seed + index)));

  const seen = `seed ${seed}`;
  expect((await one.fetch("/v1.0/healthz")).status, seen).toBe(204);
  expect((await one.fetch("/v1.0/state/store", { method: "POST", body: '[{"key":"a","value":1}]' })).status, seen).toBe(
    204,
  );
  expect(await (await one.fetch("/v1.0/state/store/a")).text(), seen).toBe("1");
  expect(await one.grpc.tryRaw("/dapr.proto.runtime.v1.Dapr/GetMetadata", Buffer.alloc(0)), seen).toBeUndefined();
  expect(
    one.logger.lines.filter((line) => line.message.startsWith("bug:")),
    seen,
  ).toEqual([]);
});
