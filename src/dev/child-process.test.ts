import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../kit/system-clock.ts";
import { startChild } from "./child-process.ts";
import type { Child } from "./types.ts";

let folder = "";
let lines: string[] = [];
let guarded = new Set<number>();
const children: Child[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-child-"));
  lines = [];
  guarded = new Set();
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop(0)));
  rmSync(folder, { recursive: true });
});

function start(command: readonly string[], options: { directory?: string; env?: Record<string, string> } = {}): Child {
  const child = startChild({
    command,
    directory: options.directory ?? folder,
    env: options.env ?? { PATH: process.env["PATH"] ?? "" },
    guard: { add: (pid) => void guarded.add(pid), remove: (pid) => void guarded.delete(pid), close() {} },
    clock: systemClock,
    onLine: (stream, line) => void lines.push(`${stream}: ${line}`),
  });
  children.push(child);
  return child;
}

async function line(text: string): Promise<void> {
  while (!lines.includes(text)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A process that has ended but waits for somebody to ask how counts as gone. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function pidOf(name: string): number {
  const found = lines.find((one) => one.startsWith(`stdout: ${name} `));
  return Number(found?.split(" ")[2]);
}

describe("a child process", () => {
  it("runs in its folder with the environment given and nothing else, and tells its lines", async () => {
    const child = start(["sh", "-c", 'pwd -P; echo "$A-$HOME"; echo err >&2; exit 3'], {
      env: { A: "b", PATH: process.env["PATH"] ?? "" },
    });
    expect(guarded).toEqual(new Set([child.pid]));
    expect(await child.ended).toEqual({ code: 3, signal: null });
    expect(new Set(lines)).toEqual(new Set(["stderr: err", "stdout: b-", `stdout: ${realpathSync(folder)}`]));
    expect(guarded.size).toBe(0);
  });

  it("has no standard input to wait for", async () => {
    expect(await start(["sh", "-c", "cat; echo done"]).ended).toEqual({ code: 0, signal: null });
    expect(lines).toEqual(["stdout: done"]);
  });

  it("is read to the end of its output", async () => {
    await start([process.execPath, "-e", 'console.log("x\\n".repeat(50_000) + "end")']).ended;
    expect(lines).toHaveLength(50_001);
    expect(lines.at(-1)).toBe("stdout: end");
  });

  it("may end in its own way when it is asked to", async () => {
    const child = start(["sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done"]);
    await line("stdout: up");
    expect(await child.stop(5_000)).toEqual({ code: 7, signal: null });
    expect(lines).toContain("stdout: bye");
    expect(await child.stop(5_000)).toEqual({ code: 7, signal: null });
  });

  it("is killed after its grace", async () => {
    const child = start(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"]);
    await line("stdout: up");
    expect(await child.stop(50)).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("is killed at once when the second word says so", async () => {
    const child = start(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"]);
    await line("stdout: up");
    const slow = child.stop(60_000);
    void child.stop(0);
    expect(await slow).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("takes what it started along, also what is deaf to the request", async () => {
    const child = start([
      "sh",
      "-c",
      "sh -c \"trap '' TERM; echo deaf \\$\\$; while :; do sleep 0.01; done\" & sleep 60 & echo soft $!; wait",
    ]);
    await Promise.all(["deaf", "soft"].map((name) => until(() => pidOf(name) > 0)));
    const pids = [pidOf("deaf"), pidOf("soft")];
    expect(pids.map(alive)).toEqual([true, true]);
    expect(await child.stop(100)).toEqual({ code: null, signal: "SIGTERM" });
    expect(pids.map(alive)).toEqual([false, false]);
  });

  it("gives what it started the same grace as itself", async () => {
    const child = start([
      "sh",
      "-c",
      "sh -c \"trap 'sleep 0.6; echo saved; exit' TERM; echo up; while :; do sleep 0.01; done\" & wait",
    ]);
    await line("stdout: up");
    expect(await child.stop(5_000)).toEqual({ code: null, signal: "SIGTERM" });
    expect(lines).toContain("stdout: saved");
  });

  it("is over when it has ended, whoever else still holds its output", async () => {
    const child = start([
      process.execPath,
      "-e",
      `const away = require("node:child_process").spawn("sleep", ["60"], { detached: true, stdio: "inherit" });
       away.unref();
       console.log("away " + away.pid);`,
    ]);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    process.kill(pidOf("away"), "SIGKILL");
  });

  it("leaves nothing behind when it ends by itself", async () => {
    const child = start(["sh", "-c", "sleep 60 & echo left $!; exit 4"]);
    expect(await child.ended).toEqual({ code: 4, signal: null });
    expect(alive(pidOf("left"))).toBe(false);
    expect(guarded.size).toBe(0);
  });

  it("is told of by the signal that ended it", async () => {
    expect(await start(["sh", "-c", "kill -9 $$"]).ended).toEqual({ code: null, signal: "SIGKILL" });
  });
});

describe("a child process that cannot be started", () => {
  const text = (name: string): string => join(folder, name);

  it.each([
    ["no command", () => start([]), /^there is no command to start/],
    [
      "an unknown program",
      () => start(["no-such-program"]),
      /no-such-program: no such program in the PATH; install it/,
    ],
    ["a missing file", () => start(["./none.sh"]), /\.\/none\.sh: there is no such file.*relative to/],
    ["a missing folder", () => start(["sh"], { directory: text("gone") }), /working directory .*gone does not exist/],
    [
      "a file as folder",
      () => start(["sh"], { directory: text("plain") }),
      /working directory .*plain is not a folder/,
    ],
    [
      "a file that is no program",
      () => start(["./plain"]),
      /not an executable file; make it one with chmod \+x \.\/plain/,
    ],
    ["a word with a zero", () => start(["sh", "a\0b"]), /^cannot start sh: .*null bytes/],
  ])("says so: %s", async (_, begin, words) => {
    writeFileSync(text("plain"), "echo x\n", { mode: 0o644 });
    const child = begin();
    const end = await child.ended;
    expect(end).toMatchObject({ code: null, signal: null });
    expect(end.startError).toMatch(words);
    expect(child.pid).toBeUndefined();
    expect(await child.stop(1)).toBe(end);
    expect(guarded.size).toBe(0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
