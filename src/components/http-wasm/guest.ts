import { randomFillSync } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../kit/system-clock.ts";
import { GuestExchange } from "./guest-exchange.ts";
import { GuestHost } from "./guest-host.ts";
import { GuestMemory } from "./guest-memory.ts";
import type { FromGuest, GuestStart, ToGuest } from "./guest-messages.ts";
import { GuestExit, GuestOutput, type GuestSources, strictSources, wasiImports } from "./guest-wasi.ts";
import { type WasmMemory, webAssembly } from "./webassembly.ts";

/** What a guest exports. */
interface GuestExports {
  readonly memory: WasmMemory;
  _start?(): void;
  _initialize?(): void;
  handle_request(): bigint;
  handle_response(context: number, failed: number): void;
}

const port = parentPort;
const start = workerData as GuestStart;
const memory = new GuestMemory();
const output = new GuestOutput();
const post = (message: FromGuest): void => port?.postMessage(message);
const host = new GuestHost({ ...start, memory, post });

const realSources: GuestSources = {
  wallNs: () => BigInt(Math.round(systemClock.now() * 1_000)) * 1_000n,
  monotonicNs: () => BigInt(Math.round(systemClock.monotonicMs() * 1_000_000)),
  fillRandom: (bytes) => void randomFillSync(bytes),
};

function instantiate(): GuestExports {
  const sources = start.strictSandbox
    ? strictSources(BigInt(Math.floor(systemClock.now() / 1_000)) * 1_000_000_000n)
    : realSources;
  const wanted = webAssembly.Module.imports(start.module)
    .filter(({ module }) => module === "wasi_snapshot_preview1")
    .map(({ name }) => name);
  const instance = new webAssembly.Instance(start.module, {
    http_handler: host.imports(),
    wasi_snapshot_preview1: wasiImports(memory, sources, output, wanted),
  });
  const exports = instance.exports as GuestExports;
  memory.memory = exports.memory;
  try {
    exports._start?.();
    exports._initialize?.();
  } catch (error) {
    if (!(error instanceof GuestExit && error.code === 0)) {
      throw error;
    }
  }
  return exports;
}

function handle(exports: GuestExports, message: ToGuest): void {
  if (message.kind === "request") {
    const exchange = new GuestExchange(
      message.request,
      { status: 200, headers: [], body: undefined },
      host.features,
      false,
    );
    host.begin(exchange);
    const packed = exports.handle_request();
    const response = { ...exchange.response, body: exchange.written("response") };
    postOutput();
    post({
      kind: "requestDone",
      next: (packed & 0xffff_ffffn) !== 0n,
      context: Number(BigInt.asUintN(32, packed >> 32n)),
      features: exchange.features,
      request: exchange.request,
      body: exchange.written("request"),
      response,
    });
    return;
  }
  const exchange = new GuestExchange(message.request, message.response, message.features, true);
  host.begin(exchange);
  exports.handle_response(message.context, message.failed ? 1 : 0);
  postOutput();
  const body = exchange.written("response") ?? exchange.response.body;
  post({ kind: "responseDone", response: { ...exchange.response, body } });
}

function postOutput(): void {
  for (const stream of ["stdout", "stderr"] as const) {
    const text = output.take(stream);
    if (text !== "") {
      post({ kind: "output", stream, text });
    }
  }
}

function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    postOutput();
    post({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
}

guarded(() => {
  const exports = instantiate();
  postOutput();
  port?.on("message", (message: ToGuest) => guarded(() => handle(exports, message)));
  post({ kind: "ready" });
});
