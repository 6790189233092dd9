import { setTimeout as delay } from "node:timers/promises";

/** Outlasts a restart of everything, several times over. */
const PATIENCE_MS = 90_000;
/** The reservation of the largest order is well below that. */
const REQUEST_MS_MAX = 20_000;
const PAUSE_MS = 200;

/** From here on it is not the request that is wrong. */
const SERVER_FAULT = 500;

/** An answer of the façade. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** 1 when the first attempt was answered. */
  readonly attempts: number;
  /** From the first attempt to the answer. */
  readonly ms: number;
}

/** Thrown when nothing but failures came back for as long as the client is patient; `cause` is the last. */
export class GivenUpError extends Error {
  override readonly name = "GivenUpError";
  readonly attempts: number;
  readonly ms: number;

  constructor(message: string, attempts: number, ms: number, cause: unknown) {
    super(message, { cause });
    this.attempts = attempts;
    this.ms = ms;
  }
}

export interface FacadeClientOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly signal: AbortSignal;
  /** How long a request is repeated, and the pause before each time. */
  readonly patienceMs?: number;
  readonly pauseMs?: number;
  /** Node's own unless a test says otherwise. */
  readonly fetch?: typeof fetch;
}

/**
 * A customer of the façade who insists: whatever is not answered, or answered by a fault of the server, is asked again.
 * That is right because everything the façade offers may come twice.
 */
export class FacadeClient {
  readonly #options: FacadeClientOptions;

  constructor(options: FacadeClientOptions) {
    this.#options = options;
  }

  /** @throws GivenUpError; the signal's reason once it is aborted */
  async send(method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<Answer> {
    const { signal, patienceMs = PATIENCE_MS, pauseMs = PAUSE_MS } = this.#options;
    const startedMs = performance.now();
    for (let attempts = 1; ; attempts++) {
      try {
        const answer = await this.#attempt(method, path, body);
        return { ...answer, attempts, ms: performance.now() - startedMs };
      } catch (error) {
        signal.throwIfAborted();
        const ms = performance.now() - startedMs;
        if (ms > patienceMs) throw new GivenUpError(`${method} ${path}: ${reasonOf(error)}`, attempts, ms, error);
      }
      await delay(pauseMs, undefined, { signal });
    }
  }

  async #attempt(method: string, path: string, body: object | undefined): Promise<Pick<Answer, "status" | "body">> {
    const { url, apiKey, signal } = this.#options;
    const response = await (this.#options.fetch ?? fetch)(`${url}${path}`, {
      method,
      headers: { "x-api-key": apiKey, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS_MAX)]),
    });
    const text = await response.text();
    if (response.status >= SERVER_FAULT) throw new Error(`${response.status} ${text}`);
    return { status: response.status, body: JSON.parse(text) as unknown };
  }
}

/** The failure of `fetch` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
