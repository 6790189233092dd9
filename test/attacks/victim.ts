import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TransportClient, TransportOptions } from "../../src/net/h2/transport.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { callOnce, warmUp } from "./calls.ts";
import type { VictimCommand, VictimState } from "./victim-protocol.ts";

/** Between two calls of the bystander. */
const BYSTANDER_PAUSE_MS = 10;

/** A process under attack. */
export class Victim {
  readonly #child: ChildProcess;
  #port = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static start(): Victim {
    return new Victim(
      fork(join(import.meta.dirname, "victim-child.ts"), { execArgv: ["--expose-gc"], stdio: "inherit" }),
    );
  }

  get port(): number {
    return this.#port;
  }

  /** Has it serve with these limits, and warms it up. */
  async serve(options: TransportOptions = {}): Promise<void> {
    this.#port = (await this.ask({ do: "serve", options })).port;
    await warmUp(`127.0.0.1:${this.#port}`);
  }

  async ask(command: VictimCommand): Promise<VictimState> {
    const answer = once(this.#child, "message") as Promise<[VictimState]>;
    this.#child.send(command);
    return (await answer)[0];
  }

  async state(): Promise<VictimState> {
    return await this.ask({ do: "state" });
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    await exit;
  }
}

/** An honest connection that calls all the while. */
export class Bystander {
  answered = 0;
  slowestMs = 0;
  readonly #client: TransportClient;
  #stopped = false;
  readonly #run: Promise<void>;

  constructor(port: number) {
    this.#client = createH2Transport().createClient(`127.0.0.1:${port}`);
    this.#run = this.#calls();
    this.#run.catch(() => undefined);
  }

  /** Throws what went wrong, if anything did. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#run;
    await this.#client.close();
  }

  async #calls(): Promise<void> {
    while (!this.#stopped) {
      const began = performance.now();
      await callOnce(this.#client);
      this.answered += 1;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, BYSTANDER_PAUSE_MS));
    }
  }
}
