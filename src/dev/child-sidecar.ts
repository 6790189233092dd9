import { type Clock, sleep } from "../kit/clock.ts";
import type { UnitSidecar } from "./app-unit-types.ts";
import type { SidecarClient } from "./sidecar-client.ts";
import type { Child, ChildEnd, SidecarPortPlan } from "./types.ts";

/** Milliseconds between two questions whether it is there. */
const POLL_MS = 50;

/** The message of a line of the log in either format. */
const FATAL_LINE = /level=fatal msg=("(?:[^"\\]|\\.)*"|\S+)|"level":"fatal".*?"msg":("(?:[^"\\]|\\.)*")/;

/** What it takes to run a sidecar in a process of its own. */
export interface ChildSidecarOptions {
  readonly ports: SidecarPortPlan;
  readonly clock: Clock;
  readonly client: SidecarClient;
  /** Starts the process; every line it writes is to be handed over. */
  launch(onLine: (line: string) => void): Child;
}

/** Starts a sidecar in a process of its own. */
export function startChildSidecar(options: ChildSidecarOptions): UnitSidecar {
  return new ChildSidecar(options);
}

class ChildSidecar implements UnitSidecar {
  readonly ports: SidecarPortPlan;
  readonly started: Promise<void>;
  readonly ended: Promise<string>;
  readonly #clock: Clock;
  readonly #client: SidecarClient;
  readonly #child: Child;
  #isOver = false;
  #lastLine = "";
  #fatal: string | undefined;

  constructor(options: ChildSidecarOptions) {
    this.ports = options.ports;
    this.#clock = options.clock;
    this.#client = options.client;
    this.#child = options.launch((line) => this.#read(line));
    this.ended = this.#child.ended.then((end) => {
      this.#isOver = true;
      return this.#reason(end);
    });
    this.started = this.#untilOpen();
    this.started.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async attend(): Promise<void> {
    while (!this.#isOver && !(await this.#client.isReady())) {
      await sleep(this.#clock, POLL_MS);
    }
  }

  /** Nothing to do: it is started anew with the app, since a sidecar asks its app only once what it wants. */
  async appLeft(): Promise<void> {}

  setMetadata(key: string, value: string): Promise<void> {
    return this.#client.setMetadata(key, value);
  }

  conditions(): ReturnType<UnitSidecar["conditions"]> {
    return this.#client.conditions();
  }

  subscriptions(): ReturnType<UnitSidecar["subscriptions"]> {
    return this.#client.subscriptions();
  }

  reload(): ReturnType<UnitSidecar["reload"]> {
    return this.#client.reload();
  }

  async stop(graceMs: number): Promise<void> {
    await this.#child.stop(graceMs);
  }

  async #untilOpen(): Promise<void> {
    while (!(await this.#client.isOpen())) {
      if (this.#isOver) {
        throw new Error(await this.ended);
      }
      await sleep(this.#clock, POLL_MS);
    }
  }

  #read(line: string): void {
    this.#lastLine = line;
    const match = FATAL_LINE.exec(line);
    const quoted = match?.[1] ?? match?.[2];
    if (quoted !== undefined) {
      this.#fatal = unquoted(quoted);
    }
  }

  #reason({ code, signal, startError }: ChildEnd): string {
    if (startError !== undefined) {
      return startError;
    }
    if (signal !== null) {
      return `it was ended by ${signal}`;
    }
    const said = this.#fatal ?? this.#lastLine;
    return said === "" || code === 0
      ? `it ended with exit code ${code}`
      : said.replace(/^Fatal error from runtime: /, "");
  }
}

/** The text of a JSON string, which is also what Go's quoting gives for all but rare characters. */
function unquoted(text: string): string {
  try {
    return text.startsWith('"') ? (JSON.parse(text) as string) : text;
  } catch {
    return text;
  }
}
