import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";

const START = join(import.meta.dirname, "../../examples/order-management/start.ts");

/** What Ctrl-C may take, with the services and the sidecars. */
const STOP_MS_MAX = 1_000;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runToItsEnd(...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [START, ...args])) };
  } catch (error) {
    return error as Ended;
  }
}

/** Starts the example without `--once` and waits until it stays up; says where the façade is. */
async function startAndStay(): Promise<{ readonly child: ChildProcess; readonly facadeUrl: string }> {
  const child = spawn(process.execPath, [START], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  let printed = "";
  const facadeUrl = await new Promise<string>((settle, fail) => {
    child.once("exit", () => fail(new Error(`the example ended:\n${printed}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const url = /Still up[\s\S]*curl (http:\/\/127\.0\.0\.1:\d+)\/stock/.exec(printed)?.[1];
      if (url !== undefined) settle(url);
    });
  });
  return { child, facadeUrl };
}

it("replays the sample and finds nothing lost", async () => {
  const { code, stdout, stderr } = await runToItsEnd("--once");
  expect(stderr).toBe("");
  expect(stdout).toContain("100 %  60/60");
  expect(stdout).toMatch(/[1-9]\d* placed, [1-9]\d* rejected \(\d\.\d %\), 5 cancelled, 4 written off, 0 failed/);
  expect(stdout).toMatch(/p50 [\d.]+ ms, p99 [\d.]+ ms, \d+ orders\/s/);
  expect(stdout).toContain("Verdict: green");
  expect(code).toBe(0);
});

it("says what it cannot read", async () => {
  expect(await runToItsEnd("--once", "--orders", START)).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("start.ts: the first line must be InvoiceNo,") as string,
  });
});

it("stays up, takes orders, and ends with Ctrl-C within a second and without leaving anything behind", async () => {
  const { child, facadeUrl } = await startAndStay();
  const order = {
    id: "900001",
    placedAt: "2026-03-03 09:00:00",
    customer: "",
    country: "Ireland",
    lines: [{ code: "10002", description: "", quantity: 1_000_000, unitPrice: 3.95 }],
  };
  const answer = await fetch(`${facadeUrl}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order),
  });
  expect(await answer.json()).toEqual({ id: "900001", status: "rejected", shortOf: "10002", value: 3_950_000 });
  expect((await fetch(`${facadeUrl}/orders/900001`)).status).toBe(200);
  expect((await fetch(`${facadeUrl}/orders/900002`)).status).toBe(404);
  expect((await fetch(`${facadeUrl}/orders`, { method: "POST", body: "{}" })).status).toBe(400);

  const started = performance.now();
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(performance.now() - started).toBeLessThan(STOP_MS_MAX);
  await expect(fetch(`${facadeUrl}/summary`)).rejects.toThrow("fetch failed");
});
