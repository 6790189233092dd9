import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import type { SidecarProgram } from "../harness/sidecar-program.ts";
import { until } from "../harness/until.ts";

/** What a sidecar may hold more than before, while it is flooded and afterwards: twice of what it does. */
const HELD_BYTES_MAX = 256 * 1024 * 1024;

/** Calls of the bystander that are waited for while attackers are still there. */
const CALLS_MEANWHILE = 5;

/** Between two calls of the bystander. */
const PAUSE_MS = 10;
/** Connections that are made at a time: the system queues no more than some hundred for a port. */
const CONNECTING = 100;
/** An honest caller waits no longer, on a machine that is busy with other things. */
const BYSTANDER_MS_MAX = 30_000;

/** One hostile connection. */
export interface Attacker {
  readonly socket: Socket;
  /** What it was told. */
  readonly received: string;
  readonly isClosed: boolean;
}

/** Connections that say the same; disposing of it closes what is left of them. */
export class Flood implements Disposable {
  readonly attackers: Attacker[] = [];

  /** Opens connections and sends each its bytes. */
  static async open(port: number, count: number, bytesOf: (index: number) => string | Buffer): Promise<Flood> {
    const flood = new Flood();
    while (flood.attackers.length < count) {
      const from = flood.attackers.length;
      const batch = Array.from({ length: Math.min(CONNECTING, count - from) }, () => attackerOn(port));
      flood.attackers.push(...batch);
      await Promise.all(batch.map(async ({ socket }) => await settled(socket)));
      for (const [index, { socket }] of batch.entries()) {
        const bytes = bytesOf(from + index);
        if (bytes.length > 0) socket.write(bytes);
      }
    }
    return flood;
  }

  get open(): number {
    return this.attackers.filter(({ isClosed }) => !isClosed).length;
  }

  send(bytes: string | Buffer): void {
    for (const { socket, isClosed } of this.attackers) if (!isClosed) socket.write(bytes);
  }

  /** Resolves when none is left. */
  async cutOff(patienceMs: number): Promise<void> {
    await until("all attackers are cut off", () => this.open === 0, patienceMs);
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.attackers) socket.destroy();
  }
}

/** Resolves when the socket is connected, or never will be. */
async function settled(socket: Socket): Promise<void> {
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
}

const RECEIVED_MAX = 64 * 1024;

function attackerOn(port: number): Attacker {
  const socket = connect({ port, host: "127.0.0.1" });
  const attacker = { socket, received: "", isClosed: false };
  socket.on("error", () => undefined);
  socket.on("close", () => (attacker.isClosed = true));
  socket.on("data", (chunk) => {
    if (attacker.received.length < RECEIVED_MAX) attacker.received += chunk.toString("latin1");
  });
  // Whoever is cut off may be told so while it still sends.
  socket.on("end", () => socket.end());
  return attacker;
}

/**
 * Runs an attack on a sidecar while somebody else uses it, who gets every answer; and holds it to its memory.
 * @param run is given a wait for some more of those answers
 */
export async function whileServing(
  sidecar: SidecarProgram,
  run: (served: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const before = await residentBytes(sidecar);
  const honest = new HonestCaller(sidecar);
  try {
    await until("the bystander is served", () => honest.answered > 0, BYSTANDER_MS_MAX);
    await run(async () => {
      const enough = honest.answered + CALLS_MEANWHILE;
      await until("the bystander is served meanwhile", () => honest.answered >= enough, BYSTANDER_MS_MAX);
    });
    const answered = honest.answered;
    await until("the bystander is served afterwards", () => honest.answered > answered, BYSTANDER_MS_MAX);
  } finally {
    await honest.stop();
  }
  expect(honest.peakBytes - before).toBeLessThan(HELD_BYTES_MAX);
}

/** Saves and reads state, and looks at the memory, again and again. */
class HonestCaller {
  answered = 0;
  peakBytes = 0;
  readonly #sidecar: SidecarProgram;
  #isStopped = false;
  readonly #running: Promise<void>;

  constructor(sidecar: SidecarProgram) {
    this.#sidecar = sidecar;
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** Throws what went wrong for it, if anything did. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const value = String(this.answered);
      const signal = AbortSignal.timeout(BYSTANDER_MS_MAX);
      const saved = await this.#sidecar.fetch("/v1.0/state/store", {
        method: "POST",
        body: JSON.stringify([{ key: "honest", value }]),
        signal,
      });
      expect(saved.status).toBe(204);
      const read = await this.#sidecar.fetch("/v1.0/state/store/honest", { signal });
      expect(await read.json()).toBe(value);
      this.peakBytes = Math.max(this.peakBytes, await residentBytes(this.#sidecar));
      this.answered += 1;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function residentBytes(sidecar: SidecarProgram): Promise<number> {
  const [, bytes] = /^\S*process_resident_memory_bytes(?:\{[^}]*\})? (\S+)$/m.exec(await sidecar.metrics()) ?? [];
  return Number(bytes);
}
