import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "../harness/until.ts";
import type { CounterHost } from "./counter-host.ts";
import type { CounterCall } from "./history.ts";

/** A call that takes longer is an error, and what became of it is not known. */
const CALL_PATIENCE_MS = 15_000;
const READ_PATIENCE_MS = 30_000;

export interface ClientPlan {
  readonly actors: number;
  readonly paceMs: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One client for each counter: it adds one operation after the other and keeps how each of them went. */
export class CounterClients {
  readonly calls: CounterCall[] = [];
  readonly #plan: ClientPlan;
  readonly #doors: readonly CounterHost[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #loops: Promise<void>[] = [];
  readonly #nextOps: number[];
  #isOver = false;

  constructor(plan: ClientPlan, doors: readonly CounterHost[]) {
    this.#plan = plan;
    this.#doors = doors;
    this.#nextOps = Array.from({ length: plan.actors }, () => 0);
  }

  /** Resolves when every counter has counted once; the calls go on until `stop`. */
  async warmUp(): Promise<void> {
    for (const actor of this.#nextOps.keys()) {
      this.#loops.push(this.#count(actor));
    }
    const answered = new Set<number>();
    await until(
      "every counter answers",
      () => {
        for (const { actor, host } of this.calls) {
          if (host !== undefined) {
            answered.add(actor);
          }
        }
        return answered.size === this.#plan.actors;
      },
      READ_PATIENCE_MS,
    );
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  /** What the counters hold, by actor. */
  async counted(): Promise<{
    readonly counted: readonly (readonly number[])[];
    readonly unreadable: readonly string[];
  }> {
    const unreadable: string[] = [];
    const counted = await Promise.all(
      [...this.#nextOps.keys()].map(async (actor) => {
        try {
          return await until(
            `counter ${actor} can be read`,
            async () => {
              const { status, text } = await this.#send(actor, "read");
              if (status !== 200) {
                throw new Error(`${status} ${text}`);
              }
              return JSON.parse(text) as readonly number[];
            },
            READ_PATIENCE_MS,
          );
        } catch (error) {
          unreadable.push(`${String(error)}: ${String((error as Error).cause)}`);
          return [];
        }
      }),
    );
    this.#agent.destroy();
    return { counted, unreadable };
  }

  async #count(actor: number): Promise<void> {
    await pause(Math.random() * this.#plan.paceMs);
    while (!this.#isOver) {
      const startMs = performance.now();
      this.calls.push(await this.#add(actor, startMs));
      await pause(Math.max(0, startMs + this.#plan.paceMs - performance.now()));
    }
  }

  async #add(actor: number, startMs: number): Promise<CounterCall> {
    const op = this.#nextOps[actor] ?? 0;
    this.#nextOps[actor] = op + 1;
    try {
      const { status, text } = await this.#send(actor, "add", JSON.stringify(op));
      const endMs = performance.now();
      const answered = status === 200 ? (JSON.parse(text) as { readonly host: string }) : undefined;
      const error = status === 200 ? undefined : `${status} ${text}`;
      return { actor, op, startMs, endMs, host: answered?.host, error };
    } catch (error) {
      return { actor, op, startMs, endMs: performance.now(), host: undefined, error: String(error) };
    }
  }

  #send(actor: number, method: string, body = ""): Promise<Answer> {
    const port = this.#doors[actor % this.#doors.length]?.httpPort;
    const path = `/v1.0/actors/Counter/${actor}/method/${method}`;
    return new Promise((resolve, reject) => {
      const call = request({
        agent: this.#agent,
        host: "127.0.0.1",
        port,
        method: "POST",
        path,
        timeout: CALL_PATIENCE_MS,
      });
      call.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", reject);
      });
      call.on("timeout", () => call.destroy(new Error(`no answer within ${CALL_PATIENCE_MS} ms`)));
      call.on("error", reject);
      call.end(body);
    });
  }
}
