// `node bench/streaming.ts --candidate outrigger=dist/outrigger`: the memory of two sidecars while one large body passes
// through both, to the app and back from it, without a limit on bodies. Ends with 1 when a peak is above `--limit-mb`.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Candidate, parseCandidate, startSidecar } from "./candidate.ts";
import { dropFromPageCache } from "./measure.ts";
import { residentMb } from "./process-usage.ts";
import { type RunningProcess } from "./running-process.ts";

const CHUNK = Buffer.alloc(64 * 1024, 0x78);
const MEMORY_POLL_MS = 20;

const { values } = parseArgs({
  options: {
    candidate: { type: "string", multiple: true, default: [] },
    mb: { type: "string", default: "2048" },
    "limit-mb": { type: "string", default: "150" },
  },
});
if (values.candidate.length === 0) {
  process.stdout.write("Usage: node bench/streaming.ts --candidate NAME=PATH [--mb 2048] [--limit-mb 150]\n");
  process.exit(2);
}
const bodyBytes = Number(values.mb) * 1024 * 1024;
const limitMb = Number(values["limit-mb"]);

const app = createServer((incoming, response) => {
  if (incoming.url === "/sink") {
    void readAll(incoming).then((bytes) => response.end(String(bytes)));
  } else if (incoming.url === "/source") {
    void writeAll(response);
  } else {
    response.writeHead(404).end();
  }
});
app.listen(0, "127.0.0.1");
await once(app, "listening");

let failed = false;
process.stdout.write(
  "| candidate | direction | MB | MB/s | peak RSS caller, MB | peak RSS callee, MB |\n|---|---|---|---|---|---|\n",
);
for (const text of values.candidate) {
  await measure(parseCandidate(text));
}
app.close();
app.closeAllConnections();
process.exitCode = failed ? 1 : 0;

async function measure(candidate: Candidate): Promise<void> {
  for (const direction of ["upload", "download"] as const) {
    const folder = mkdtempSync(join(tmpdir(), "outrigger-bench-"));
    const flags = { resourcesPath: folder, more: ["--max-body-size=0"] };
    const appPort = (app.address() as AddressInfo).port;
    dropFromPageCache(candidate.path);
    const callee = await startSidecar(candidate, { ...flags, appId: "callee", appPort });
    const caller = await startSidecar(candidate, { ...flags, appId: "caller" });
    try {
      const url = `http://127.0.0.1:${caller.port}/v1.0/invoke/callee/method`;
      const peaks = watch([caller, callee]);
      const startMs = performance.now();
      const bytes = direction === "upload" ? await upload(`${url}/sink`) : await download(`${url}/source`);
      const seconds = (performance.now() - startMs) / 1000;
      const [callerMb = 0, calleeMb = 0] = peaks.stop();
      if (bytes !== bodyBytes) {
        throw new Error(`${bytes} bytes arrived of ${bodyBytes}`);
      }
      failed ||= callerMb > limitMb || calleeMb > limitMb;
      const figures = [bodyBytes / 2 ** 20, bodyBytes / 2 ** 20 / seconds, callerMb, calleeMb].map(Math.round);
      process.stdout.write(`| ${candidate.name} | ${direction} | ${figures.join(" | ")} |\n`);
    } finally {
      await Promise.all([caller.stop(), callee.stop()]);
      rmSync(folder, { recursive: true });
    }
  }
}

/** The highest resident memory of processes, in MB. */
function watch(processes: readonly RunningProcess[]): { stop(): readonly number[] } {
  const peaks = processes.map(({ pid }) => residentMb(pid).total);
  const look = (): void => {
    for (const [index, { pid }] of processes.entries()) {
      peaks[index] = Math.max(peaks[index] ?? 0, residentMb(pid).total);
    }
  };
  const timer = setInterval(look, MEMORY_POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peaks;
    },
  };
}

async function upload(url: string): Promise<number> {
  const outgoing = request(url, { method: "POST", agent: false });
  const answered = once(outgoing, "response") as Promise<[IncomingMessage]>;
  for (let sent = 0; sent < bodyBytes; sent += CHUNK.length) {
    if (!outgoing.write(CHUNK)) {
      await once(outgoing, "drain");
    }
  }
  outgoing.end();
  const [answer] = await answered;
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) {
    text += String(chunk);
  }
  return Number(text);
}

async function download(url: string): Promise<number> {
  const outgoing = request(url, { agent: false }).end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  return await readAll(answer);
}

async function readAll(stream: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
  }
  return bytes;
}

async function writeAll(response: ServerResponse): Promise<void> {
  for (let sent = 0; sent < bodyBytes; sent += CHUNK.length) {
    if (!response.write(CHUNK)) {
      await once(response, "drain");
    }
  }
  response.end();
}
