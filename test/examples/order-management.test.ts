import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { apiKeyOf, type DataFolder, dataFolderAt } from "../../examples/order-management/data-folder.ts";
import { until } from "../harness/until.ts";
import { writeRunFile } from "./run-file.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/order-management");
const START = join(EXAMPLE, "start.ts");
const AUDIT = join(EXAMPLE, "audit/main.ts");

/**
 * What Ctrl-C may take, with the services and the sidecars: less than a second, and on a machine that is busy less than
 * what anything is waited for by default.
 */
const STOP_MS_MAX = 4_500;

let folder: string;
/** Comes up while the first tests run. */
let staying: Promise<Running>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "order-management-test-"));
  staying = startAndStay();
  staying.catch(() => undefined);
});
afterAll(async () => {
  const child = await staying.then(
    (running) => running.child,
    () => undefined,
  );
  if (child !== undefined && child.exitCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  rmSync(folder, { recursive: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runToItsEnd(script: string, ...args: string[]): Promise<Ended> {
  return await runIn(folder, script, ...args);
}

async function runIn(temporary: string, script: string, ...args: string[]): Promise<Ended> {
  try {
    const options = { env: { ...process.env, TMPDIR: temporary } };
    return { code: 0, ...(await promisify(execFile)(process.execPath, [script, ...args], options)) };
  } catch (error) {
    return error as Ended;
  }
}

describe("with --once", () => {
  it("replays the sample and ends with the verdict, also when every sidecar is a process of its own", async () => {
    const runFile = await writeRunFile(mkdtempSync(join(folder, "run-")));
    const { code, stdout } = await runToItsEnd(START, "--once", "--run-file", runFile, "--separate-sidecars");
    expectGreenReplay(stdout);
    expect(code).toBe(0);
    expect(existsSync(placeOf(stdout))).toBe(false);
  });

  it("says what it cannot read, and leaves nothing behind", async () => {
    const empty = mkdtempSync(join(folder, "empty-"));
    expect(await runIn(empty, START, "--once", "--orders", START)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("start.ts: the first line must be InvoiceNo,") as string,
    });
    expect(await runIn(empty, START, "--once", "--orders", join(folder, "none.csv"))).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("none.csv") as string,
    });
    expect(await runIn(empty, START, "--twice")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("--orders FILE") as string,
    });
    expect(readdirSync(empty)).toEqual([]);
  });

  it("says why the runtime did not start", async () => {
    const runFile = join(folder, "broken.yaml");
    writeFileSync(runFile, "version: 1\napps: none\n");
    const { code, stderr } = await runToItsEnd(START, "--once", "--run-file", runFile);
    expect(stderr).toContain("outrigger dev ended");
    expect(stderr).toContain("broken.yaml");
    expect(code).toBe(2);
  });
});

it("says which port is taken, and goes on once it is free", async () => {
  const runFile = await writeRunFile(mkdtempSync(join(folder, "run-")));
  const port = Number(/facade[^]*?appPort: (\d+)/.exec(readFileSync(runFile, "utf8"))?.[1]);
  const other = createServer((_request, response) => response.end("{}")).listen(port, "127.0.0.1");
  await once(other, "listening");
  const { child, printed } = startOn(runFile);
  expect(await printed(/is taken/)).toContain(`port ${port}, on which facade is to listen, is taken by`);
  other.closeAllConnections();
  other.close();
  await printed(/Replaying/);
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([130, null]);
});

describe("in the middle of a replay", () => {
  it.each<[string, NodeJS.Signals, [number | null, string | null]]>([
    ["ends with Ctrl-C", "SIGINT", [130, null]],
    ["leaves nothing behind when it is killed", "SIGKILL", [null, "SIGKILL"]],
  ])("%s", async (_what, signal, ended) => {
    const { child, printed } = await start("--rate", "2");
    const pids = pidsOf(dataFolderAt(placeOf(await printed(/Replaying/))));
    expect(pids.filter((pid) => isAlive(pid))).toHaveLength(5);
    child.kill(signal);
    expect(await once(child, "exit")).toEqual(ended);
    await until("the end of all processes", () => !pids.some((pid) => isAlive(pid)));
  });
});

describe("without --once", () => {
  let system: Running;
  beforeAll(async () => {
    system = await staying;
  });

  it("replays the sample and finds the books in order", () => {
    expectGreenReplay(system.printed);
  });

  it("stays up with its API described", async () => {
    const document = openApiSchema.parse(await (await fetch(`${system.facadeUrl}/openapi.json`)).json());
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(["/availability/{code}", "/orders", "/orders/{id}", "/orders/{id}/payment"]),
    );
  });

  it("takes orders, with the key only", async () => {
    const line = { code: "10002", description: "", quantity: 9_999_999, unitPrice: 1 };
    const invoice = { id: "900001", placedAt: "2026-03-02 09:00:00", customer: "1", country: "Ireland", lines: [line] };
    const post = async (headers: Record<string, string>): Promise<Response> =>
      await fetch(`${system.facadeUrl}/orders`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ invoice }),
      });
    expect((await post({})).status).toBe(401);
    const answer = await post({ "x-api-key": apiKeyOf(system.data) });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ id: "900001", status: "rejected", shortOf: "10002" });
    expect((await fetch(`${system.facadeUrl}/orders/700002`)).status).toBe(200);
    expect((await fetch(`${system.facadeUrl}/orders/900002`)).status).toBe(404);
  });

  it("has an audit that finds what nobody has asked for, and what has been tampered with", async () => {
    const found = await runToItsEnd(AUDIT, "--data", system.data.root);
    expect(found.stdout).toContain("900001: nobody asked for this order");
    expect(found.stdout).toContain("Verdict: RED");
    expect(found.code).toBe(1);

    const store = new DatabaseSync(system.data.store);
    store.exec("UPDATE state SET value = '{}', is_binary = 0 WHERE key = 'stock||StockActor||10002||books'");
    store.close();
    expect((await runToItsEnd(AUDIT, "--data", system.data.root)).stdout).toContain("FAIL  every record can be read");
    expect(await runToItsEnd(AUDIT, "--data", folder)).toMatchObject({ code: 2, stdout: "" });
  });

  it("ends with Ctrl-C at once and leaves no process behind", async () => {
    const pids = pidsOf(system.data);
    expect(pids.filter((pid) => isAlive(pid))).toHaveLength(5);

    const startedMs = performance.now();
    system.child.kill("SIGINT");
    expect(await once(system.child, "exit")).toEqual([0, null]);
    expect(performance.now() - startedMs).toBeLessThan(STOP_MS_MAX);
    await until("the end of all processes", () => !pids.some((pid) => isAlive(pid)));
    await expect(fetch(`${system.facadeUrl}/healthz`)).rejects.toThrow("fetch failed");
    expect(existsSync(system.data.journal)).toBe(true);
  });
});

const openApiSchema = z.object({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });
const sessionSchema = z.object({ pid: z.int(), apps: z.array(z.object({ appPid: z.int() })) });

function expectGreenReplay(printed: string): void {
  expect(printed).toContain("100 %  60/60");
  expect(printed).toMatch(
    /51 orders: 4\d paid, 4\d confirmed, [1-9] rejected \(\d+\.\d %\), 2 cancelled, [4-9] expired,/,
  );
  expect(printed).toContain("1 refunded after they were confirmed, 4 returned, 4 written off, 0 failed");
  expect(printed).toMatch(/p50 [\d.]+ ms, p99 [\d.]+ ms/);
  expect(printed).toMatch(/[\d.]+ orders\/s: 60 in [\d.]+ s/);
  expect(printed).toContain("Verdict: green");
}

function placeOf(printed: string): string {
  const place = /sidecars on (\S+)/.exec(printed)?.[1];
  if (place === undefined) throw new Error(`the example does not say where its data is:\n${printed}`);
  return place;
}

interface Running {
  readonly child: ChildProcess;
  readonly printed: string;
  readonly facadeUrl: string;
  readonly data: DataFolder;
}

/** Starts the example without `--once` and waits until it stays up. */
async function startAndStay(): Promise<Running> {
  const { child, printed } = await start();
  const all = await printed(/Still up[^]*curl \S+\/openapi\.json\n/);
  const facadeUrl = /curl (\S+)\/openapi\.json/.exec(all)?.[1] ?? "";
  return { child, printed: all, facadeUrl, data: dataFolderAt(placeOf(all)) };
}

interface Started {
  readonly child: ChildProcess;
  /** Resolves with all that was printed once it matches; rejects when the process ends before. */
  printed(pattern: RegExp): Promise<string>;
}

async function start(...args: string[]): Promise<Started> {
  return startOn(await writeRunFile(mkdtempSync(join(folder, "run-"))), ...args);
}

function startOn(runFile: string, ...args: string[]): Started {
  const child = spawn(process.execPath, [START, "--run-file", runFile, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: folder },
  });
  let all = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (all += chunk.toString()));
  const printed = async (pattern: RegExp): Promise<string> =>
    await new Promise((settle, fail) => {
      child.once("exit", () => fail(new Error(`the example ended:\n${all}`)));
      const look = (): void => {
        if (pattern.test(all)) settle(all);
      };
      for (const stream of [child.stdout, child.stderr]) stream.on("data", look);
      look();
    });
  return { child, printed };
}

function pidsOf({ session }: DataFolder): number[] {
  const { pid, apps } = sessionSchema.parse(JSON.parse(readFileSync(session, "utf8")));
  return [pid, ...apps.map(({ appPid }) => appPid)];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
