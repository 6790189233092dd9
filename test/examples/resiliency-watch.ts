import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";

const POLL_MS = 100;

/** What `dapr_resiliency_*` say about the calls of stock codes, of all sidecars together. */
export interface ResiliencyFigures {
  /** Calls under the circuit breaker. */
  readonly calls: number;
  /** Calls that were tried again. */
  readonly retried: number;
  readonly timedOut: number;
  /** Attempts during which a breaker turned open; those that ran beside it are counted too, as Dapr does. */
  readonly opened: number;
  /** Attempts that closed a breaker. */
  readonly closed: number;
}

interface Scraped {
  readonly app: string;
  readonly samples: readonly string[];
}

/** Reads the metrics of the sidecars of a run file, again and again, and notes how the states of their breakers change. */
export class ResiliencyWatch {
  /** By app: each state that its breaker was seen in, in turn. */
  readonly states = new Map<string, string[]>();
  readonly #apps: readonly { readonly appID: string; readonly metricsPort: number }[];

  constructor(runFile: string) {
    this.#apps = (parse(readFileSync(runFile, "utf8")) as { apps: { appID: string; metricsPort: number }[] }).apps;
  }

  /** Until the signal; rejects with its reason, or when a sidecar does not answer. */
  async follow(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#look();
      await delay(POLL_MS, undefined, { signal });
    }
  }

  async figures(): Promise<ResiliencyFigures> {
    const samples = (await this.#look()).flatMap((one) => one.samples);
    const sum = (metric: string, policy: string, status = ""): number =>
      samples
        .filter((line) => line.startsWith(`dapr_resiliency_${metric}{`) && line.includes(`policy="${policy}"`))
        .filter((line) => line.includes(`status="${status}`))
        .reduce((total, line) => total + valueOf(line), 0);
    return {
      calls: sum("count", "circuitbreaker"),
      retried: sum("activations_total", "retry"),
      timedOut: sum("activations_total", "timeout"),
      opened: sum("activations_total", "circuitbreaker", "open"),
      closed: sum("activations_total", "circuitbreaker", "closed"),
    };
  }

  async #look(): Promise<Scraped[]> {
    const scraped = await Promise.all(
      this.#apps.map(async ({ appID, metricsPort }) => await scrape(appID, metricsPort)),
    );
    for (const { app, samples } of scraped) {
      const current = samples.find((line) => line.startsWith("dapr_resiliency_cb_state{") && valueOf(line) === 1);
      const state = /status="([^"]*)"/.exec(current ?? "")?.[1];
      if (state === undefined) continue;
      const seen = this.states.get(app) ?? [];
      if (seen.at(-1) !== state) seen.push(state);
      this.states.set(app, seen);
    }
    return scraped;
  }
}

async function scrape(app: string, port: number): Promise<Scraped> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return { app, samples: text.split("\n").filter((line) => line.includes('target="actor_StockActor"')) };
}

function valueOf(sample: string): number {
  return Number(sample.slice(sample.lastIndexOf(" ") + 1));
}
