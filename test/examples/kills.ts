import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type DataFolder, dataFolderAt, prepareDataFolder } from "../../examples/order-management/data-folder.ts";
import { DevProcess, type Session } from "../../examples/order-management/dev-process.ts";
import { readOrderFiles } from "../../examples/order-management/replay/order-file.ts";
import type { Counts } from "../../examples/order-management/replay/report.ts";
import { replayOrders } from "../../examples/order-management/replay/run.ts";
import { seededRandom } from "../../examples/order-management/replay/seeded-random.ts";
import { type AuditEnd, runAudit } from "./audit-program.ts";
import { writeRunFile } from "./run-file.ts";

/** What is killed, always with SIGKILL. */
export const SCENARIOS = {
  app: "one app",
  dev: "the dev process with everything in it",
  "app and sidecar": "one app together with its sidecar",
} as const;
export type Scenario = keyof typeof SCENARIOS;

const KILLS = 3;
/** The last of the replay's thirds must not be over before its kill; as a share of a third. */
const MARGIN = 0.1;
/** A kill comes that long after the order that it was drawn for at most: in the middle of whatever goes on then. */
const KILL_DELAY_MS_MAX = 250;
/** For a killed process to be back, or for what it leaves behind to be gone. */
const BACK_MS_MAX = 60_000;
const POLL_MS = 20;

export interface KillRun {
  readonly scenario: Scenario;
  /** Of the replay, and of the moments and the victims of the kills. */
  readonly seed: number;
  readonly orderFiles: readonly string[];
  readonly channels: number;
  /** Orders a second; undefined: as many as the channels take. */
  readonly ratePerSecond?: number | undefined;
  readonly print: (line: string) => void;
}

/** One kill: after how many orders, who, and how long until it was back. */
export interface Kill {
  readonly afterOrders: number;
  readonly victim: string;
  readonly backMs: number;
}

export interface KillReport {
  readonly kills: readonly Kill[];
  readonly orders: number;
  readonly counts: Counts;
  /** Orders that the system would not take or did not answer, and what had not ended. */
  readonly failures: readonly string[];
  readonly audit: AuditEnd;
  /** Processes that were still there after the end. */
  readonly orphans: readonly number[];
  readonly seconds: number;
}

/**
 * Replays orders and kills in the middle of it, three times at moments that are drawn with the seed, one in each third of
 * the replay. Everything comes back by itself, only the dev process has to be started again. What is left of a run that
 * is not in order stays on the disk; its place is printed.
 */
export async function replayUnderKills(run: KillRun): Promise<KillReport> {
  const folder = dataFolderAt(mkdtempSync(join(tmpdir(), "order-kills-")));
  prepareDataFolder(folder);
  const system = new System(folder, await writeRunFile(folder.root), run.scenario);
  const stopped = new AbortController();
  const startedMs = performance.now();
  try {
    const report = await runKills(run, folder, system, stopped);
    if (isInOrder(report)) rmSync(folder.root, { recursive: true });
    else run.print(`what is left is in ${folder.root}`);
    return { ...report, seconds: (performance.now() - startedMs) / 1_000 };
  } finally {
    stopped.abort();
    await system.stop();
  }
}

export function isInOrder({ failures, audit, orphans }: Pick<KillReport, "failures" | "audit" | "orphans">): boolean {
  return failures.length === 0 && audit.code === 0 && orphans.length === 0;
}

async function runKills(
  { scenario, seed, orderFiles, channels, ratePerSecond, print }: KillRun,
  folder: DataFolder,
  system: System,
  stopped: AbortController,
): Promise<Omit<KillReport, "seconds">> {
  const { signal } = stopped;
  const files = orderFiles.map((path) => ({ name: basename(path), text: readFileSync(path, "utf8") }));
  const invoices = readOrderFiles(files);
  const random = seededRandom(seed);
  let done = 0;

  const facadeUrl = await system.start(signal);
  const replay = replayOrders({
    folder,
    facadeUrl,
    invoices,
    channels,
    seed,
    ratePerSecond,
    signal,
    output: { write: () => undefined },
    onProgress: (count) => (done = count),
  });
  const killAll = async (): Promise<Kill[]> => {
    const kills: Kill[] = [];
    for (let third = 0; third < KILLS; third++) {
      const after = Math.floor(((third + MARGIN + random() * (1 - 2 * MARGIN)) / KILLS) * invoices.length);
      await until(`${after} orders`, () => done >= after, signal);
      await delay(random() * KILL_DELAY_MS_MAX, undefined, { signal });
      const afterOrders = done;
      const killedMs = performance.now();
      const victim = await system.kill(random, signal);
      const kill = { afterOrders, victim, backMs: Math.round(performance.now() - killedMs) };
      print(
        `${scenario}: killed ${victim} after ${afterOrders} of ${invoices.length} orders, back in ${kill.backMs} ms`,
      );
      kills.push(kill);
    }
    return kills;
  };
  const [result, kills] = await Promise.all([replay, killAll()]);
  const audit = await runAudit(folder);
  const pids = system.pids();
  await system.stop();
  return {
    kills,
    orders: invoices.length,
    counts: result.counts,
    failures: [...[...result.failures].map(([name, why]) => `${name}: ${why}`), ...result.open],
    audit,
    orphans: pids.filter((pid) => isAlive(pid)),
  };
}

/** The order system under `outrigger dev`, and who of it is killed. */
class System {
  readonly #folder: DataFolder;
  readonly #runFile: string;
  readonly #scenario: Scenario;
  #dev: DevProcess | undefined;

  constructor(folder: DataFolder, runFile: string, scenario: Scenario) {
    this.#folder = folder;
    this.#runFile = runFile;
    this.#scenario = scenario;
  }

  /** @returns the façade's URL, which stays the same */
  async start(signal: AbortSignal): Promise<string> {
    this.#dev = new DevProcess({
      folder: this.#folder,
      runFile: this.#runFile,
      separateSidecars: this.#scenario === "app and sidecar",
      watch: false,
    });
    return await this.#dev.ready(signal);
  }

  /** Kills who the scenario says and waits until all is up again. @returns the victim */
  async kill(random: () => number, signal: AbortSignal): Promise<string> {
    if (this.#scenario === "dev") {
      const before = this.pids();
      await this.#dev?.kill();
      await until("the apps' end", () => !before.some((pid) => isAlive(pid)), signal);
      await this.start(signal);
      return "outrigger dev";
    }
    const { apps } = await this.#session(signal, ({ apps: all }) => all.every(({ appPid }) => appPid !== undefined));
    const victim = apps[Math.floor(random() * apps.length)]!;
    const victims = [victim.appPid!, ...(this.#scenario === "app" ? [] : [victim.sidecarPid!])];
    for (const pid of victims) process.kill(pid, "SIGKILL");
    await this.#session(signal, ({ apps: now }) => {
      const { appPid, sidecarPid } = now.find(({ appId }) => appId === victim.appId) ?? {};
      const isBack = (pid: number | undefined): boolean => pid !== undefined && !victims.includes(pid);
      return isBack(appPid) && isBack(sidecarPid);
    });
    await this.#dev?.ready(signal);
    return `${victim.appId}${victims.length > 1 ? " and its sidecar" : ""}`;
  }

  /** All processes that run now. */
  pids(): number[] {
    const session = this.#dev?.session();
    if (session === undefined) return [];
    const pids = session.apps.flatMap(({ appPid, sidecarPid }) => [appPid, sidecarPid]);
    return [...new Set([session.pid, ...pids.filter((pid) => pid !== undefined)])];
  }

  async stop(): Promise<void> {
    await this.#dev?.stop();
  }

  async #session(signal: AbortSignal, is: (session: Session) => boolean): Promise<Session> {
    let session: Session | undefined;
    await until(
      "all processes",
      () => {
        session = this.#dev?.session();
        return session !== undefined && is(session);
      },
      signal,
    );
    return session!;
  }
}

async function until(what: string, is: () => boolean, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + BACK_MS_MAX;
  while (!is()) {
    if (performance.now() > deadlineMs) throw new Error(`did not come about within ${BACK_MS_MAX} ms: ${what}`);
    await delay(POLL_MS, undefined, { signal });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
