import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { residentMb } from "../harness/resident-memory.ts";
import { closed, listening } from "../harness/test-app.ts";
import { installed, type RunningSidecar, startSidecar } from "./program.ts";

const MB = 1024 * 1024;
const BODY_BYTES = 256 * MB;
/** Far below the body, far above what queues and young garbage take. */
const GROWTH_MB_MAX = 110;
const CHUNK = Buffer.alloc(64 * 1024, "x");
const MEMORY_POLL_MS = 20;

/** The two find each other by a file, since not every machine lets multicast through. */
function namesIn(folder: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: config }
spec:
  nameResolution:
    component: sqlite
    version: v1
    configuration: { connectionString: "${join(folder, "names.db")}" }
`;
}

async function writeAll(to: NodeJS.WritableStream): Promise<void> {
  for (let sent = 0; sent < BODY_BYTES; sent += CHUNK.length) {
    if (!to.write(CHUNK)) {
      await once(to, "drain");
    }
  }
  to.end();
}

async function readAll(from: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of from) {
    bytes += (chunk as Buffer).length;
  }
  return bytes;
}

describe.skipIf(process.platform !== "linux")("a large body through two sidecars without a limit on bodies", () => {
  const home = installed();
  const app = createServer((incoming, response) => {
    if (incoming.url === "/sink") {
      void readAll(incoming).then((bytes) => response.end(String(bytes)));
    } else if (incoming.url === "/source") {
      void writeAll(response);
    } else {
      response.writeHead(404).end();
    }
  });
  let caller: RunningSidecar;
  let callee: RunningSidecar;
  beforeAll(async () => {
    const appPort = await listening(app);
    const config = join(home.folder, "config.yaml");
    writeFileSync(config, namesIn(home.folder));
    const args = ["sidecar", `--config=${config}`, "--max-body-size=0"];
    const options = { cwd: home.folder };
    callee = await startSidecar(home.program, [...args, "--app-id=callee", `--app-port=${appPort}`], options);
    caller = await startSidecar(home.program, [...args, "--app-id=caller"], options);
  });
  afterAll(async () => {
    await Promise.all([caller[Symbol.asyncDispose](), callee[Symbol.asyncDispose]()]);
    await closed(app);
    home[Symbol.dispose]();
  });

  it.each(["upload", "download"] as const)("does not stay in their memory: %s", async (direction) => {
    const pids = [caller.pid, callee.pid];
    const before = pids.map(residentMb);
    let grownMb = 0;
    const timer = setInterval(() => {
      grownMb = Math.max(grownMb, ...pids.map((pid, index) => residentMb(pid) - (before[index] ?? 0)));
    }, MEMORY_POLL_MS);
    const path = direction === "upload" ? "sink" : "source";
    const outgoing = request(`http://127.0.0.1:${caller.port}/v1.0/invoke/callee/method/${path}`, {
      method: direction === "upload" ? "POST" : "GET",
      agent: false,
    });
    const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
    if (direction === "upload") {
      await writeAll(outgoing);
    } else {
      outgoing.end();
    }
    const [answer] = await answered;
    if (direction === "upload") {
      expect(await answer.setEncoding("utf8").toArray()).toEqual([String(BODY_BYTES)]);
    } else {
      expect(await readAll(answer)).toBe(BODY_BYTES);
    }
    clearInterval(timer);
    expect(grownMb).toBeLessThan(GROWTH_MB_MAX);
  });
});
