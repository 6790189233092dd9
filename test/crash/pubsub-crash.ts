import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { createSqlitePubSub } from "../../src/components/sqlite/pubsub.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { numberOf } from "./pubsub-body.ts";

/** Longest run of a child after its first acknowledgement, in milliseconds; the moment of the kill is random in it. */
const RUN_MS_MAX = 300;
/** How long the last drain waits for the next message before it says that there is none. */
const QUIET_MS = 3_000;
const FILE = "broker.db";

/** What a series of kills showed. */
export interface PubSubCrashReport {
  readonly kills: number;
  /** Kills that hit while publishes were under way. */
  readonly killsInFlight: number;
  readonly acknowledged: number;
  readonly publishesPerSecond: number;
  /** Deliveries beyond the first of a message: at least once allows them. */
  readonly repeated: number;
  /** Acknowledged and never delivered: must be none. */
  readonly missing: readonly number[];
  /** Messages that the last process held when it was killed. */
  readonly inHand: number;
  /** Longest time from the last kill to the delivery of one of them to another process; their lease is a second. */
  readonly redeliveredMs: number;
  /** Messages whose data was not what was published: must be none. */
  readonly torn: readonly string[];
}

/** What all children told, kept outside of them. */
class Witness {
  readonly acknowledged = new Set<number>();
  readonly handled = new Map<number, number>();
  readonly torn: string[] = [];
  next = 0;
  publishingMs = 0;
  killedMs = 0;
  /** In hand at the last kill. */
  inHand = new Set<number>();
  redeliveredMs = 0;

  handle(number: number): void {
    this.handled.set(number, (this.handled.get(number) ?? 0) + 1);
  }
}

/**
 * Kills (SIGKILL) a publishing and consuming process at random moments, each time on the same file, then takes what is
 * left, and compares with what was acknowledged.
 */
export async function crashPubSub(kills: number): Promise<PubSubCrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-crash-pubsub-"));
  const witness = new Witness();
  let killsInFlight = 0;
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      killsInFlight += (await oneLife(folder, witness, kill === kills - 1)) > 0 ? 1 : 0;
    }
    await drain(join(folder, FILE), witness);
  } finally {
    rmSync(folder, { recursive: true });
  }
  let deliveries = 0;
  for (const count of witness.handled.values()) {
    deliveries += count;
  }
  return {
    kills,
    killsInFlight,
    acknowledged: witness.acknowledged.size,
    publishesPerSecond: Math.round((witness.acknowledged.size / witness.publishingMs) * 1_000),
    repeated: deliveries - witness.handled.size,
    inHand: witness.inHand.size,
    redeliveredMs: witness.redeliveredMs,
    missing: [...witness.acknowledged].filter((number) => !witness.handled.has(number)),
    torn: witness.torn,
  };
}

/**
 * One child from start to kill; the last one consumes, too, before it is killed.
 * @returns the publishes that it had begun and that were not acknowledged
 */
async function oneLife(folder: string, witness: Witness, isLast: boolean): Promise<number> {
  const log = join(folder, "log");
  writeFileSync(log, "");
  const args = [join(import.meta.dirname, "pubsub-child.ts"), join(folder, FILE), String(witness.next), log];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = once(child, "close");
  const isRunning = (): boolean => {
    const said = readFileSync(log, "utf8");
    return /^a/m.test(said) && (!isLast || /^h/m.test(said));
  };
  while (!isRunning()) {
    if (child.exitCode !== null) {
      throw new Error(`the child died: ${errors}`);
    }
    await pause(5);
  }
  const startedMs = Date.now();
  await pause(Math.random() * RUN_MS_MAX);
  child.kill("SIGKILL");
  witness.killedMs = Date.now();
  await ended;
  witness.publishingMs += Date.now() - startedMs;
  const begun = new Set<number>();
  const lines = readFileSync(log, "utf8").split("\n");
  for (const line of lines.slice(0, -1)) {
    note(line, begun, witness);
  }
  return begun.size;
}

function note(line: string, begun: Set<number>, witness: Witness): void {
  const number = Number(line.slice(1));
  switch (line.charAt(0)) {
    case "s":
      begun.add(number);
      witness.next = Math.max(witness.next, number + 1);
      break;
    case "t":
      witness.torn.push(line.slice(1));
      break;
    case "a":
      begun.delete(number);
      witness.acknowledged.add(number);
      break;
    case "h":
      witness.handle(number);
  }
}

/** The numbers of the messages that somebody holds, or would if he lived. */
function inHand(file: string, nowMs: number): Set<number> {
  const database = new DatabaseSync(file, { returnArrays: true });
  try {
    const rows = database
      .prepare(
        "SELECT m.data FROM pubsub_deliveries d JOIN pubsub_messages m ON m.id = d.message_id WHERE d.due_ms > ? AND d.attempts > 0",
      )
      .all(nowMs) as unknown as [Uint8Array][];
    return new Set(rows.map(([data]) => numberOf(data) ?? -1));
  } finally {
    database.close();
  }
}

/** Takes everything that is left, as the same consumer. */
async function drain(file: string, witness: Witness): Promise<void> {
  witness.inHand = inHand(file, witness.killedMs);
  const broker = createSqlitePubSub({
    name: "broker",
    appId: "app",
    namespace: "",
    logger: silentLogger,
    clock: systemClock,
    random: systemRandom,
    environment: {},
    report() {},
    shared: { acquire: (_, create) => create() },
  });
  await broker.init({ connectionString: file, processingTimeout: "1s" }, new AbortController().signal);
  let lastMs = Date.now();
  await broker.subscribe({ topic: "orders", metadata: {} }, async (message) => {
    lastMs = Date.now();
    const number = numberOf(message.data);
    if (number === undefined) {
      witness.torn.push(Buffer.from(message.data).toString());
    } else {
      if (witness.inHand.has(number)) {
        witness.redeliveredMs = Math.max(witness.redeliveredMs, lastMs - witness.killedMs);
      }
      witness.handle(number);
    }
  });
  while (Date.now() - lastMs < QUIET_MS) {
    await pause(50);
  }
  await broker.close();
}
