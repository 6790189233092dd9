import { createHash } from "node:crypto";
import { createServer, request, type IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { liveBytes } from "../harness/live-memory.ts";
import { closed, listening } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const MIB = 1024 * 1024;
const BODY_BYTES = 20 * MIB;
const CHUNK = Buffer.alloc(64 * 1024, "outrigger");
/** Transfers after the first; bodies that stayed on the way, there or back, would be in memory all together. */
const ROUNDS = 5;
/** What all queues between a sender and a reader that stands still may hold together; most of it are the kernel's, of three connections. */
const IN_BETWEEN_BYTES_MAX = 14 * MIB;

/** Sends chunks for as long as they are taken. */
function sendStream(url: string): { sent: () => number; response: Promise<IncomingMessage> } {
  let sent = 0;
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(
      url,
      { method: "POST", agent: false, headers: { "content-type": "application/octet-stream" } },
      resolve,
    );
    outgoing.on("error", reject);
    const pump = (): void => {
      while (sent < BODY_BYTES) {
        sent += CHUNK.length;
        if (!outgoing.write(CHUNK)) {
          outgoing.once("drain", pump);
          return;
        }
      }
      outgoing.end();
    };
    pump();
  });
  return { sent: () => sent, response };
}

async function digestOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) {
    hash.update(chunk);
  }
  return hash.digest("hex");
}

/** The same number twice in a row, a while apart, means that the sender stands still. */
async function standsStill(count: () => number): Promise<number> {
  let before = -1;
  return await until("the sender stands still", async () => {
    const now = count();
    const still = now > 0 && now === before;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return still && now;
  });
}

it("20 MB stream through two sidecars both ways, held back by a reader that stands still, without staying in memory", async () => {
  const mayRead = Promise.withResolvers<undefined>();
  const app = createServer((incoming, response) => {
    if (incoming.url === "/echo") {
      void mayRead.promise.then(() => incoming.pipe(response));
    } else {
      response.writeHead(404).end();
    }
  });
  const shared = createSharedScope();
  const deps = { shared };
  const options = { maxBodyBytes: 32 * MIB, deps };
  const port = await listening(app);
  try {
    await using caller = await startTestSidecar({ ...options, appId: "caller" });
    await using _callee = await startTestSidecar({ ...options, appId: "callee", appPort: port });
    const expected = createHash("sha256");
    for (let bytes = 0; bytes < BODY_BYTES; bytes += CHUNK.length) {
      expected.update(CHUNK);
    }
    const url = `${caller.url}/v1.0/invoke/callee/method/echo`;
    const { sent, response } = sendStream(url);
    expect(await standsStill(sent)).toBeLessThan(IN_BETWEEN_BYTES_MAX);
    mayRead.resolve(undefined);
    const digest = expected.digest("hex");
    expect(await digestOf(await response)).toBe(digest);

    const before = liveBytes();
    for (let round = 0; round < ROUNDS; round += 1) {
      expect(await digestOf(await sendStream(url).response)).toBe(digest);
    }
    await until("no body is in memory any longer", () => liveBytes() - before < BODY_BYTES / 2);
  } finally {
    await closed(app);
  }
});

it("a streamed body over the limit is refused, or cut off once the app answers, and the sidecars go on", async () => {
  const app = createServer((incoming, response) => {
    incoming.on("error", () => undefined);
    if (incoming.url === "/echo") {
      incoming.pipe(response);
    } else {
      incoming.resume().on("end", () => response.end("read"));
    }
  });
  const deps = { shared: createSharedScope() };
  const port = await listening(app);
  try {
    await using caller = await startTestSidecar({ maxBodyBytes: MIB, appId: "caller", deps });
    await using _callee = await startTestSidecar({ maxBodyBytes: MIB, appId: "callee", appPort: port, deps });
    const url = `${caller.url}/v1.0/invoke/callee/method`;
    const refused = await sendStream(`${url}/read`).response.then(
      (response) => response.resume().statusCode,
      (error: NodeJS.ErrnoException) => error.code,
    );
    // The sender may meet the closed connection before it has read the answer.
    expect([413, "EPIPE", "ECONNRESET"]).toContain(refused);
    await expect(sendStream(`${url}/echo`).response.then(digestOf)).rejects.toThrow();
    const small = await fetch(`${url}/echo`, { method: "POST", body: "small" });
    expect(await small.text()).toBe("small");
  } finally {
    await closed(app);
  }
});
