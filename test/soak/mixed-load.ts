import { Agent, request } from "node:http";

/** One request of the mix; it fails the soak unless it is answered with `status`. */
interface Step {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body?: string;
}

/** What was published and has not arrived. */
export interface Ledger {
  readonly published: number;
  readonly missing: ReadonlySet<string>;
  readonly repeated: number;
}

/** Publishes and notes what arrives; ids are unique within a run. */
export class EventLedger implements Ledger {
  published = 0;
  repeated = 0;
  readonly missing = new Set<string>();

  next(): string {
    const id = `event-${this.published}`;
    this.published += 1;
    this.missing.add(id);
    return id;
  }

  arrived(id: string): void {
    if (!this.missing.delete(id)) this.repeated += 1;
  }
}

/** Requests to one sidecar's HTTP API, a mix of all blocks, as many at a time as there are lanes. */
export class MixedLoad {
  readonly #url: URL;
  readonly #ledger: EventLedger;
  readonly #agent: Agent;
  readonly #lanes: number;
  #count = 0;

  constructor(url: string, ledger: EventLedger, lanes: number) {
    this.#url = new URL(url);
    this.#ledger = ledger;
    this.#lanes = lanes;
    this.#agent = new Agent({ keepAlive: true, maxSockets: lanes });
  }

  /** As fast as it goes. @returns requests a second */
  async saturate(seconds: number): Promise<number> {
    const endMs = performance.now() + seconds * 1_000;
    const before = this.#count;
    await this.#inLanes(async () => {
      while (performance.now() < endMs) await this.#step();
    });
    return (this.#count - before) / seconds;
  }

  /** At a fixed rate. @returns requests made */
  async pace(seconds: number, perSecond: number): Promise<number> {
    const startMs = performance.now();
    const planned = Math.floor(seconds * perSecond);
    let next = 0;
    await this.#inLanes(async () => {
      while (next < planned) {
        const dueMs = startMs + (next * 1_000) / perSecond;
        next += 1;
        const waitMs = dueMs - performance.now();
        if (waitMs > 1) await new Promise((done) => setTimeout(done, waitMs));
        await this.#step();
      }
    });
    return planned;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #inLanes(run: () => Promise<void>): Promise<void> {
    await Promise.all(Array.from({ length: this.#lanes }, run));
  }

  async #step(): Promise<void> {
    const step = this.#pick(this.#count);
    this.#count += 1;
    const { status, text } = await this.#send(step);
    if (status !== step.status) {
      throw new Error(`${step.method} ${step.path} was answered with ${status} instead of ${step.status}: ${text}`);
    }
  }

  /** Keys come from a small set, so that stores do not grow with the run. */
  #pick(count: number): Step {
    const key = `key-${(count * 7919) % 1_000}`;
    const value = JSON.stringify({ count, text: "x".repeat(500) });
    switch (count % 10) {
      case 0:
      case 1:
        return { method: "POST", path: "/v1.0/state/store", status: 204, body: `[{"key":"${key}","value":${value}}]` };
      case 2:
        return { method: "POST", path: "/v1.0/state/store/bulk", status: 200, body: `{"keys":["${key}","key-1"]}` };
      case 3: {
        const operations = [
          { operation: "upsert", request: { key, value: { count } } },
          { operation: "delete", request: { key: `${key}-other` } },
        ];
        return {
          method: "POST",
          path: "/v1.0/state/store/transaction",
          status: 204,
          body: JSON.stringify({ operations }),
        };
      }
      case 4:
        return { method: "POST", path: "/v1.0/state/memory", status: 204, body: `[{"key":"${key}","value":${value}}]` };
      case 5:
      case 6:
        return {
          method: "POST",
          path: "/v1.0/publish/broker/soak",
          status: 204,
          body: JSON.stringify(this.#ledger.next()),
        };
      case 7:
        return { method: "POST", path: "/v1.0/invoke/warehouse/method/echo", status: 200, body: value };
      case 8: {
        const body = JSON.stringify({ resourceId: `lock-${count}`, lockOwner: "soak", expiryInSeconds: 1 });
        return { method: "POST", path: "/v1.0-alpha1/lock/locks", status: 200, body };
      }
      default:
        return { method: "GET", path: "/v1.0/secrets/secrets/password", status: 200 };
    }
  }

  #send({ method, path, body }: Step): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          host: this.#url.hostname,
          port: this.#url.port,
          method,
          path,
          headers: { "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => (text += part));
          response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.once("error", reject);
      sent.end(body);
    });
  }
}
