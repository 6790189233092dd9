import { expect } from "vitest";
import type { CutOff } from "../../src/net/h2/transport.ts";
import { type Ending, RawPeer } from "../harness/h2-raw-peer.ts";
import { until } from "../harness/until.ts";
import { Bystander, type Victim } from "./victim.ts";

/** The bounds of the project: an attack is cut off within a second and costs less than a tenth of a second of CPU. */
const CUT_OFF_MS_MAX = 1_000;
const CPU_MS_MAX = 100;
/** What a server may hold more than before, after a collection: code, caches, noise of the collector. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;

/** How long the bystander is watched alone. */
const BASELINE_MS = 100;

/** What an attack came to. */
export interface Verdict {
  readonly ending: Ending;
  readonly cutOff: CutOff;
  readonly cpuMs: number;
}

export interface Attack {
  /** What the connection begins with; preface and SETTINGS by default. */
  readonly hello?: Buffer;
  /** Before the clock runs: what an honest peer does, too. */
  readonly prepare?: (peer: RawPeer) => Promise<void> | void;
  readonly run: (peer: RawPeer) => Promise<void> | void;
  /** The bound where a timer cuts off: its time and the granularity of the timers. */
  readonly withinMs?: number;
}

/**
 * Attacks a server while a bystander calls, and holds it to the bounds: the attacker is cut off in time, at little cost,
 * the bystander gets its answers, and nothing of it all stays.
 */
export async function attack(
  victim: Victim,
  { hello, prepare, run, withinMs = CUT_OFF_MS_MAX }: Attack,
): Promise<Verdict> {
  const peer = await RawPeer.connect(victim.port, hello);
  const bystander = new Bystander(victim.port);
  try {
    await prepare?.(peer);
    await until("the bystander is served", () => bystander.answered > 0);
    const idleCpu = await cpuShare(victim);
    const { memoryBytes } = await victim.ask({ do: "collect" });
    const before = await victim.state();
    const answeredBefore = bystander.answered;

    peer.begin();
    const began = performance.now();
    await Promise.all([run(peer), within(peer.ended, withinMs * 3)]);
    const ending = await peer.ended;
    await until("the connection is gone", async () => (await victim.state()).connections < before.connections);
    const after = await victim.state();
    const cpuMs = after.cpuMs - before.cpuMs - idleCpu * (performance.now() - began);
    await until("the bystander is served", () => bystander.answered > answeredBefore);
    await bystander.stop();
    const collected = await victim.ask({ do: "collect" });

    expect(ending.afterMs).toBeLessThan(withinMs);
    expect(cpuMs).toBeLessThan(CPU_MS_MAX);
    expect(bystander.slowestMs).toBeLessThan(CUT_OFF_MS_MAX);
    expect(collected.memoryBytes - memoryBytes).toBeLessThan(KEPT_BYTES_MAX);
    expect(collected.streams).toBe(0);
    expect(after.cutOffs.length).toBe(before.cutOffs.length + 1);
    return { ending, cutOff: after.cutOffs.at(-1) as CutOff, cpuMs };
  } finally {
    peer.close();
    await bystander.stop().catch(() => undefined);
  }
}

/** What the bystander alone costs, in milliseconds of CPU for each millisecond. */
async function cpuShare(victim: Victim): Promise<number> {
  const began = performance.now();
  const before = await victim.state();
  await new Promise((resolve) => setTimeout(resolve, BASELINE_MS));
  const after = await victim.state();
  return (after.cpuMs - before.cpuMs) / (performance.now() - began);
}

async function within(ended: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the attacker was not cut off within ${ms} ms`)), ms);
  });
  await Promise.race([ended, late]).finally(() => clearTimeout(timer));
}
