// `node bench/capacity.ts --candidate outrigger=dist/outrigger --candidate daprd=/usr/local/bin/daprd`: what large bodies
// and idle connections cost a daprd-compatible executable.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Candidate, parseCandidate, startSidecar } from "./candidate.ts";
import { dropFromPageCache } from "./measure.ts";
import { resourcesOf } from "./operations.ts";
import { residentMb } from "./process-usage.ts";
import { spread, type Spread } from "./report.ts";
import { type RunningProcess } from "./running-process.ts";

/** As in the published figures. */
const UPLOADS = 4;
const UPLOAD_BYTES = 20 * 1024 * 1024;
const UPLOAD_REPEATS = 5;
const IDLE_CONNECTIONS = 1_000;
/** So that code that is run for the first time does not count as theirs. */
const WARM_UP_CONNECTIONS = 100;
const CHUNK = Buffer.alloc(64 * 1024, 0x78);
/** A sidecar is let come to rest before its memory is read. */
const SETTLE_MS = 1_500;
const MEMORY_POLL_MS = 20;
/** Connections have been idle for so long when their memory is read. */
const IDLE_MS = 5_000;

const { values } = parseArgs({
  options: {
    candidate: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "3" },
    markdown: { type: "string" },
  },
});
if (values.candidate.length === 0) {
  process.stdout.write(
    "Usage: node bench/capacity.ts --candidate NAME=PATH [--candidate …] [--rounds N] [--markdown FILE]\n",
  );
  process.exit(2);
}

interface UploadSample {
  readonly mbPerSecond: number;
  readonly cpuMsPerMb: number;
  readonly grownMb: number;
}

const candidates = values.candidate.map(parseCandidate);
const uploads = new Map<string, UploadSample[]>(candidates.map(({ name }) => [name, []]));
const idle = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
for (let round = 1; round <= Number(values.rounds); round += 1) {
  process.stderr.write(`round ${round} of ${values.rounds}\n`);
  for (const candidate of candidates) {
    dropFromPageCache(candidate.path);
    uploads.get(candidate.name)?.push(await withResources((folder) => measureUploads(candidate, folder)));
    idle.get(candidate.name)?.push(await withResources((folder) => measureIdle(candidate, folder)));
  }
}

const lines = [
  `\`node bench/capacity.ts ${values.candidate.map((text) => `--candidate ${text.split("=")[0]}=…`).join(" ")} --rounds ${values.rounds}\``,
  "",
  `${UPLOADS} uploads of ${UPLOAD_BYTES / 2 ** 20} MB at a time through two sidecars to an HTTP app, ${UPLOAD_REPEATS} times; ` +
    `${IDLE_CONNECTIONS} idle keep-alive HTTP connections to one sidecar, each after one request. Medians (min–max), memory of both sidecars together.`,
  "",
  "| candidate | MB/s | CPU ms per MB | most memory more than before, MB | 1,000 idle connections, MB |",
  "|---|---|---|---|---|",
  ...candidates.map(({ name }) => {
    const samples = uploads.get(name) ?? [];
    const cells = [
      figure(spread(samples.map((sample) => sample.mbPerSecond)), 0),
      figure(spread(samples.map((sample) => sample.cpuMsPerMb)), 2),
      figure(spread(samples.map((sample) => sample.grownMb)), 0),
      figure(spread(idle.get(name) ?? []), 1),
    ];
    return `| ${name} | ${cells.join(" | ")} |`;
  }),
];
process.stdout.write(`${lines.join("\n")}\n`);
if (values.markdown !== undefined) writeFileSync(values.markdown, `${lines.join("\n")}\n`);

async function measureUploads(candidate: Candidate, resourcesPath: string): Promise<UploadSample> {
  const app = createServer((incoming, response) => {
    incoming.resume();
    incoming.once("end", () => response.end());
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const appPort = (app.address() as AddressInfo).port;
  const maxBody = ["--max-body-size=64Mi"];
  const callee = await startSidecar(candidate, { appId: "bench-callee", resourcesPath, appPort, more: maxBody });
  const caller = await startSidecar(candidate, { appId: "bench", resourcesPath, more: maxBody });
  const agent = new Agent({ keepAlive: true });
  try {
    const both = [callee, caller];
    await upload(caller.port, agent);
    await settle();
    const beforeMb = memory(both);
    let mostMb = beforeMb;
    const watch = setInterval(() => (mostMb = Math.max(mostMb, memory(both))), MEMORY_POLL_MS);
    const cpuBefore = cpu(both);
    const startMs = performance.now();
    for (let repeat = 0; repeat < UPLOAD_REPEATS; repeat += 1) {
      await Promise.all(Array.from({ length: UPLOADS }, () => upload(caller.port, agent)));
    }
    const seconds = (performance.now() - startMs) / 1_000;
    clearInterval(watch);
    const megabytes = (UPLOADS * UPLOAD_REPEATS * UPLOAD_BYTES) / 2 ** 20;
    return {
      mbPerSecond: megabytes / seconds,
      cpuMsPerMb: ((cpu(both) - cpuBefore) * 1_000) / megabytes,
      grownMb: mostMb - beforeMb,
    };
  } finally {
    agent.destroy();
    await caller.stop();
    await callee.stop();
    app.close();
    app.closeAllConnections();
  }
}

/** One body of known length, written as the sidecar takes it. */
function upload(port: number, agent: Agent): Promise<void> {
  return new Promise((done, fail) => {
    const sent = request(
      {
        agent,
        host: "127.0.0.1",
        port,
        method: "POST",
        path: "/v1.0/invoke/bench-callee/method/upload",
        headers: { "content-type": "application/octet-stream", "content-length": UPLOAD_BYTES },
      },
      (response) => {
        response.resume();
        response.once("end", () =>
          response.statusCode === 200 ? done() : fail(new Error(`upload: status ${response.statusCode}`)),
        );
      },
    );
    sent.once("error", fail);
    let left = UPLOAD_BYTES;
    const write = (): void => {
      while (left > 0) {
        const piece = CHUNK.subarray(0, Math.min(left, CHUNK.length));
        left -= piece.length;
        if (!sent.write(piece) && left > 0) {
          sent.once("drain", write);
          return;
        }
      }
      sent.end();
    };
    write();
  });
}

async function measureIdle(candidate: Candidate, resourcesPath: string): Promise<number> {
  const sidecar = await startSidecar(candidate, { appId: "bench", resourcesPath });
  const sockets: Socket[] = [];
  try {
    for (let count = 0; count < WARM_UP_CONNECTIONS; count += 1) {
      (await connectOnce(sidecar.port)).destroy();
    }
    await settle();
    const beforeMb = memory([sidecar]);
    for (let count = 0; count < IDLE_CONNECTIONS; count += 1) {
      sockets.push(await connectOnce(sidecar.port));
    }
    await new Promise((done) => setTimeout(done, IDLE_MS));
    return memory([sidecar]) - beforeMb;
  } finally {
    for (const socket of sockets) socket.destroy();
    await sidecar.stop();
  }
}

async function connectOnce(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /v1.0/healthz HTTP/1.1\r\nhost: bench\r\n\r\n");
  await once(socket, "data");
  return socket;
}

function memory(processes: readonly RunningProcess[]): number {
  return processes.reduce((sum, { pid }) => sum + residentMb(pid).total, 0);
}

function cpu(processes: readonly RunningProcess[]): number {
  return processes.reduce((sum, process) => sum + process.cpuSeconds(), 0);
}

function settle(): Promise<void> {
  return new Promise((done) => setTimeout(done, SETTLE_MS));
}

async function withResources<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-bench-"));
  try {
    writeFileSync(join(folder, "components.yaml"), resourcesOf(undefined, folder));
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function figure(value: Spread, digits: number): string {
  return `${value.median.toFixed(digits)} (${value.min.toFixed(digits)}–${value.max.toFixed(digits)})`;
}
