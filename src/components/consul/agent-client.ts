import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CancelSignal, Cancellation } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { createHttpClient } from "../../net/http/client.ts";
import { HttpClientError } from "../../net/http/errors.ts";
import type { Body, HeaderList, HttpClient } from "../../net/http/types.ts";
import {
  ANSWER_BYTES_MAX,
  ANSWER_CHARACTERS_SHOWN,
  ANSWER_MS_MAX,
  ASKING_CONNECTIONS_MAX,
  WATCHED_APPS_MAX,
} from "./limits.ts";
import type { AgentOptions } from "./options.ts";

/** What the agent has said. */
export interface AgentAnswer {
  readonly headers: HeaderList;
  /** Parsed; undefined where the answer has no body. */
  readonly body: unknown;
}

/** The agent has answered with something other than success. */
export class AgentStatusError extends Error {
  override readonly name = "AgentStatusError";
  readonly status: number;

  constructor(status: number, text: string) {
    super(`Unexpected response code: ${status} (${text.slice(0, ANSWER_CHARACTERS_SHOWN).trim()})`);
    this.status = status;
  }
}

export interface AgentRequest {
  readonly method?: "GET" | "PUT";
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: HeaderList;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** In place of the client's. */
  readonly token?: string | undefined;
  /** Milliseconds; the usual ones when absent. */
  readonly timeoutMs?: number;
  readonly signal?: CancelSignal | undefined;
}

/** Speaks the HTTP API of one Consul agent (developer.hashicorp.com/consul/api-docs). */
export class AgentClient {
  readonly #options: AgentOptions;
  readonly #clock: Clock;
  readonly #active = new Set<Cancellation>();
  #client: Promise<HttpClient> | undefined;

  constructor(options: AgentOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** @throws AgentStatusError, or an Error with what kept an answer from coming */
  async request(request: AgentRequest): Promise<AgentAnswer> {
    const { method = "GET", path, query = new URLSearchParams(), timeoutMs = ANSWER_MS_MAX, signal } = request;
    const { datacenter, namespace, partition, origin } = this.#options;
    setDefault(query, "dc", datacenter);
    setDefault(query, "ns", namespace);
    setDefault(query, "partition", partition);
    const text = query.toString();
    const target = text === "" ? path : `${path}?${text}`;
    const limit = new Cancellation();
    const timer = this.#clock.after(timeoutMs, () => limit.abort(new Error(`no answer within ${timeoutMs} ms`)));
    const onCancel = (): void => limit.abort(signal?.reason ?? new Error("cancelled"));
    signal?.addEventListener("abort", onCancel);
    this.#active.add(limit);
    try {
      const client = await (this.#client ??= this.#connect());
      const response = await client.request({
        method,
        target,
        headers: [...(await this.#headersOf(request)), ...(request.headers ?? [])],
        body: request.body === undefined ? NO_BODY : Buffer.from(JSON.stringify(request.body)),
        signal: limit,
      });
      const bytes = await readLimited(response.body);
      if (response.status !== 200) {
        throw new AgentStatusError(response.status, bytes.toString());
      }
      return { headers: response.headers, body: bytes.length === 0 ? undefined : parsed(bytes) };
    } catch (error) {
      if (error instanceof AgentStatusError || (error instanceof HttpClientError && !limit.aborted)) {
        throw error;
      }
      const reason = limit.aborted ? limit.reason : error;
      throw new Error(`${method} ${origin}${path}: ${errorMessage(reason)}`, { cause: error });
    } finally {
      timer.cancel();
      this.#active.delete(limit);
      signal?.removeEventListener("abort", onCancel);
    }
  }

  async close(): Promise<void> {
    for (const limit of this.#active) {
      limit.abort(new Error("the resolver is closed"));
    }
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  async #headersOf({ token, body }: AgentRequest): Promise<string[]> {
    const { basicAuth, tokenFile } = this.#options;
    const headers = ["accept", "application/json"];
    if (body !== undefined) {
      headers.push("content-type", "application/json");
    }
    if (basicAuth !== "") {
      headers.push("authorization", `Basic ${Buffer.from(basicAuth).toString("base64")}`);
    }
    const fromFile = tokenFile === "" ? "" : (await readFile(tokenFile, "utf8")).trim();
    const used = token || fromFile || this.#options.token;
    if (used !== "") {
      headers.push("x-consul-token", used);
    }
    return headers;
  }

  async #connect(): Promise<HttpClient> {
    const { origin, socketPath, tls } = this.#options;
    try {
      const read = async (file: string): Promise<string | undefined> =>
        file === "" ? undefined : await readFile(file, "utf8");
      return createHttpClient(origin, {
        socketPath,
        connectionsMax: WATCHED_APPS_MAX + ASKING_CONNECTIONS_MAX,
        connectTimeoutMs: ANSWER_MS_MAX,
        rejectUnauthorized: tls.verify,
        ca: (await read(tls.caFile)) ?? (await readFolder(tls.caPath)),
        cert: await read(tls.certFile),
        key: await read(tls.keyFile),
        serverName: tls.serverName === "" ? undefined : tls.serverName,
      });
    } catch (error) {
      // A file that is not there yet may be there for the next request.
      this.#client = undefined;
      throw error;
    }
  }
}

const NO_BODY = new Uint8Array(0);

function setDefault(query: URLSearchParams, name: string, value: string): void {
  if (value !== "" && !query.has(name)) {
    query.set(name, value);
  }
}

async function readFolder(path: string): Promise<string | undefined> {
  if (path === "") {
    return undefined;
  }
  const files = (await readdir(path, { withFileTypes: true })).filter((entry) => !entry.isDirectory());
  return (await Promise.all(files.map(({ name }) => readFile(join(path, name), "utf8")))).join("\n");
}

async function readLimited(body: Body): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) {
      throw new Error(
        `the agent's answer has more than the limit of ${ANSWER_BYTES_MAX} bytes; a filter makes it smaller`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw new Error("the agent's answer is no JSON", { cause });
  }
}
