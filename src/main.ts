#!/usr/bin/env node
import { writeSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import type { HostProcess } from "./cli/host-process.ts";
import { chooseRole } from "./cli/roles.ts";
import { allocatorTrimmer } from "./cli/trim-allocator.ts";

// Arguments begin at the third word in both shapes: run by Node that is after the script, in the single executable after
// the executable's path, which Node repeats there.
const ARGUMENTS_FROM = 2;

const host: HostProcess = {
  env: process.env,
  cwd: workingDirectory(),
  userId: process.getuid?.() ?? -1,
  hostname: hostname(),
  memory: collectableProcess(),
  program: ownProgram,
  stdin: standardInput,
  out: (text) => void writeSync(1, text),
  err: (text) => void writeSync(2, text),
  onSignal: (signal, listener) => void process.on(signal, listener),
  onFailure: (listener) => void process.on("uncaughtException", listener),
};

async function* standardInput(): AsyncIterable<Uint8Array | string> {
  yield* process.stdin as AsyncIterable<Uint8Array | string>;
}

/** In the single executable Node's own flags are part of it. */
function ownProgram(): readonly string[] {
  const script = process.argv[1] ?? "";
  return process.getBuiltinModule("node:sea").isSea()
    ? [process.execPath]
    : [process.execPath, ...process.execArgv, script];
}

/** Empty where the directory has been removed: a program starts there all the same. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}

function collectableProcess(): HostProcess["memory"] {
  const collect = globalThis.gc;
  if (collect === undefined) {
    return undefined;
  }
  let trim: (() => void) | undefined;
  let last = process.cpuUsage();
  let lastMs = performance.now();
  return {
    utilization() {
      const { user, system } = process.cpuUsage(last);
      const nowMs = performance.now();
      const part = (user + system) / 1000 / (nowMs - lastMs);
      last = process.cpuUsage();
      lastMs = nowMs;
      return part;
    },
    residentBytes: () => process.memoryUsage.rss(),
    collect() {
      // The flavour that also shrinks the heap; the plain one keeps its pages for the next burst.
      collect({ type: "major", execution: "sync", flavor: "last-resort" });
      // Loaded when it is first needed: it costs milliseconds that the start has no use for.
      trim ??= allocatorTrimmer() ?? nothing;
      trim();
    },
    // Asked for anew each time: the executable's loader puts the real one in its place with the first call.
    streamed: {
      collectYoung: () => globalThis.gc?.({ type: "minor", execution: "sync" }),
      collectAll: () => globalThis.gc?.({ type: "major", execution: "sync" }),
      bufferBytes: () => process.memoryUsage().arrayBuffers,
    },
  };
}

function nothing(): void {}

/** The longest a timer can wait: one of these holds the process while all that a command waits for are timers that do not. */
const HOLD_MS = 2 ** 31 - 1;

const names = [process.argv0, process.argv[1] ?? ""].map((path) => basename(path).replace(/\.exe$/i, ""));
const { command, args } = chooseRole(names, process.argv.slice(ARGUMENTS_FROM));
setInterval(() => undefined, HOLD_MS);
// A rejection here is nobody's to catch: Node prints it with its stack and exits with 1.
void command(args, host).then((exitCode) => process.exit(exitCode));
