import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../kit/system-clock.ts";
import { endOrphan, writeMemberPid } from "./orphan.ts";
import { processIdentity } from "./process-identity.ts";

let folder: string;
let file: string;
let child: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "orphan-"));
  file = join(folder, "etcd.pid");
  child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  await once(child, "spawn");
});

afterEach(() => {
  child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform === "win32")("a member that was left behind", () => {
  it("is ended", async () => {
    const pid = child.pid ?? 0;
    const exited = once(child, "exit");
    writeMemberPid(file, pid);
    expect(await endOrphan(file, systemClock)).toBe(pid);
    expect(await exited).toEqual([null, "SIGTERM"]);
    expect(existsSync(file)).toBe(false);
    expect(processIdentity(pid)).toBeUndefined();
  });

  it("is not another process that has its number now", async () => {
    const pid = child.pid ?? 0;
    writeMemberPid(file, pid);
    const { identity } = JSON.parse(readFileSync(file, "utf8")) as { identity: string };
    writeFileSync(file, JSON.stringify({ pid, identity: `${identity}0` }));
    expect(await endOrphan(file, systemClock)).toBeUndefined();
    expect(processIdentity(pid)).toBe(identity);
    expect(existsSync(file)).toBe(false);
  });

  it.each(["", "{}", '{"pid":1}', '{"pid":"x","identity":"y"}'])("is nobody by %j", async (text) => {
    writeFileSync(file, text);
    expect(await endOrphan(file, systemClock)).toBeUndefined();
  });
});
