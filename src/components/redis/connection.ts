import { sleep, type Clock, type Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { createRedisClient, type RedisArgument, type RedisClient, type RedisReply, sendRaw } from "./client.ts";
import { componentClosed, dialErrorText, isErrorReply, isNotNow, replyError } from "./errors.ts";
import {
  COMMAND_BYTES_MAX,
  COMMANDS_MAX,
  OFFLINE_WAIT_MS,
  RECONNECT_PAUSE_MS_MAX,
  RECONNECT_PAUSE_MS_MIN,
  WATCH_PERIOD_MS,
} from "./limits.ts";
import type { RedisSettings } from "./settings.ts";

export interface SendOptions {
  /** The command may run twice: it is sent again after a lost connection, as often as `retriesMax` says. */
  readonly repeatable?: boolean;
  /** Milliseconds that the server itself may take its time, on top of the time for a reply. */
  readonly blockMs?: number;
  /** Milliseconds that the command may wait for a connection. */
  readonly waitMs?: number;
}

/** What a connection needs before and after it is used, each time it is made anew. */
export interface ConnectionHooks {
  /** Runs before any other command; when it fails the connection is given up. */
  readonly prepare?: (client: RedisClient) => Promise<void>;
  /** Told as soon as commands may be sent. */
  readonly ready?: (client: RedisClient) => void;
}

interface Command {
  readonly args: readonly RedisArgument[];
  readonly bytes: number;
  readonly options: SendOptions;
  readonly resolve: (reply: RedisReply) => void;
  readonly reject: (error: Error) => void;
  sent: number;
  /** On the monotonic clock: while waiting, when to give up; once sent, when the reply is overdue. */
  dueMs: number;
}

const NO_OPTIONS: SendOptions = {};

/** A command that the server has run for sure changes nothing when it is sent again. */
export const REPEATABLE: SendOptions = { repeatable: true };

/**
 * One pipelined connection to one server, kept alive: lost, refused or silent connections are replaced until `close`.
 * Commands of an outage wait, in number, bytes and time within limits; a command whose reply was lost is sent again only
 * where the caller allows it. Loss and recovery are logged and reported once each.
 */
export class RedisConnection {
  readonly #settings: RedisSettings;
  readonly #clock: Clock;
  readonly #deps: ComponentDeps;
  readonly #hooks: ConnectionHooks;
  readonly #waiting = new Set<Command>();
  /** In the order of sending, which is the order of replies. */
  readonly #inFlight = new Set<Command>();
  readonly #closing = new AbortController();
  #client: RedisClient | undefined;
  #dialing: RedisClient | undefined;
  #watch: Timer | undefined;
  #bytes = 0;
  #outage = "";

  constructor(settings: RedisSettings, deps: ComponentDeps, hooks: ConnectionHooks = {}) {
    this.#settings = settings;
    this.#clock = deps.clock;
    this.#deps = deps;
    this.#hooks = hooks;
  }

  /** The connection as it stands; undefined during an outage. Only for subscriptions to channels. */
  get client(): RedisClient | undefined {
    return this.#client;
  }

  /** @throws ComponentError `unavailable` saying why, after the configured number of attempts */
  async open(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#connect();
        return;
      } catch (error) {
        if (attempt >= this.#settings.retriesMax || signal.aborted || this.#closing.signal.aborted) {
          throw error;
        }
      }
      await sleep(this.#clock, this.#pauseMs(attempt), AbortSignal.any([signal, this.#closing.signal]));
    }
  }

  /**
   * @throws ComponentError `invalidRequest` with the server's error, `unavailable` without a reply: unless the command
   * is repeatable nobody knows then whether it ran
   */
  send(args: readonly RedisArgument[], options: SendOptions = NO_OPTIONS): Promise<RedisReply> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(componentClosed());
    }
    let bytes = 0;
    for (const arg of args) {
      bytes += arg.length;
    }
    const count = this.#waiting.size + this.#inFlight.size;
    if (count >= COMMANDS_MAX || (count > 0 && this.#bytes + bytes > COMMAND_BYTES_MAX)) {
      return Promise.reject(this.#overload(count));
    }
    return new Promise((resolve, reject) => {
      this.#bytes += bytes;
      this.#dispatch({ args, bytes, options, resolve, reject, sent: 0, dueMs: 0 });
    });
  }

  /** Fails all commands. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) {
      return;
    }
    this.#closing.abort(componentClosed());
    this.#watch?.cancel();
    this.#dialing?.destroy();
    const client = this.#client;
    this.#client = undefined;
    client?.destroy();
    for (const command of [...this.#waiting, ...this.#inFlight]) {
      this.#reject(command, componentClosed());
    }
    // Where it is one of several, the component does not suffer from its outage any more.
    this.#deps.report("ready");
  }

  #dispatch(command: Command): void {
    if (this.#client === undefined) {
      command.dueMs = this.#clock.monotonicMs() + (command.options.waitMs ?? OFFLINE_WAIT_MS);
      this.#waiting.add(command);
    } else {
      this.#write(this.#client, command);
    }
    this.#watch ??= this.#clock.every(WATCH_PERIOD_MS, () => this.#look());
  }

  #write(client: RedisClient, command: Command): void {
    command.sent += 1;
    command.dueMs = this.#clock.monotonicMs() + this.#settings.replyTimeoutMs + (command.options.blockMs ?? 0);
    this.#inFlight.add(command);
    sendRaw(client, command.args).then(
      (reply) => {
        if (this.#inFlight.delete(command)) {
          this.#bytes -= command.bytes;
          command.resolve(reply);
        }
      },
      (error: unknown) => this.#failed(client, command, error),
    );
  }

  #failed(client: RedisClient, command: Command, error: unknown): void {
    if (!this.#inFlight.has(command)) {
      return;
    }
    if (isErrorReply(error) && !isNotNow(error)) {
      this.#reject(command, replyError(error));
      return;
    }
    this.#lost(client, error);
    if ((isErrorReply(error) || command.options.repeatable === true) && command.sent <= this.#settings.retriesMax) {
      this.#inFlight.delete(command);
      this.#dispatch(command);
      return;
    }
    const { address } = this.#settings;
    this.#reject(
      command,
      this.#unavailable(`redis at ${address}: no reply: ${this.#outage || errorMessage(error)}`, error),
    );
  }

  #reject(command: Command, error: Error): void {
    if (this.#waiting.delete(command) || this.#inFlight.delete(command)) {
      this.#bytes -= command.bytes;
      command.reject(error);
    }
  }

  /** A server that stopped without closing its connections is noticed by the oldest reply that is overdue. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const [oldest] = this.#inFlight;
    if (oldest !== undefined && oldest.dueMs <= nowMs && this.#client !== undefined) {
      this.#lost(this.#client, new Error("i/o timeout"));
    }
    for (const command of this.#waiting) {
      if (command.dueMs <= nowMs) {
        this.#reject(command, this.#unavailable(this.#outage));
      }
    }
    if (this.#waiting.size === 0 && this.#inFlight.size === 0) {
      this.#watch?.cancel();
      this.#watch = undefined;
    }
  }

  async #connect(): Promise<void> {
    const settings = this.#settings;
    const client = createRedisClient(settings);
    this.#dialing = client;
    let failure: unknown;
    client.on("error", (error: unknown) => {
      failure ??= error;
      this.#lost(client, error);
    });
    const deadline = this.#clock.after(settings.dialTimeoutMs, () => {
      failure ??= Object.assign(new Error("i/o timeout"), { code: "ETIMEDOUT" });
      client.destroy();
    });
    try {
      await client.connect();
      await sendRaw(client, ["PING"]);
      await this.#hooks.prepare?.(client);
      if (failure !== undefined || this.#closing.signal.aborted) {
        throw componentClosed();
      }
    } catch (error) {
      client.destroy();
      throw this.#unavailable(dialErrorText(failure ?? error, settings.address), error);
    } finally {
      deadline.cancel();
      this.#dialing = undefined;
    }
    this.#client = client;
    this.#outage = "";
    this.#deps.report("ready");
    this.#hooks.ready?.(client);
    for (const command of this.#waiting) {
      this.#waiting.delete(command);
      this.#write(client, command);
    }
  }

  #lost(client: RedisClient, error: unknown): void {
    if (this.#client !== client) {
      return;
    }
    this.#client = undefined;
    this.#outage = errorMessage(error);
    client.destroy();
    this.#deps.report("degraded", `redis at ${this.#settings.address}: ${this.#outage}`);
    this.#deps.logger.warn(`redis at ${this.#settings.address}: connection lost: ${this.#outage}; connecting again`);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#connect();
        this.#deps.logger.info(`redis at ${this.#settings.address}: connected again`);
        return;
      } catch (error) {
        this.#outage = errorMessage(error);
      }
      const pauseMs = Math.min(Math.max(this.#pauseMs(attempt), RECONNECT_PAUSE_MS_MIN), RECONNECT_PAUSE_MS_MAX);
      await sleep(this.#clock, pauseMs, signal).catch(() => undefined);
    }
  }

  /** Doubles with every attempt, with jitter, between the two configured bounds. */
  #pauseMs(attempt: number): number {
    const { retryPauseMsMin, retryPauseMsMax } = this.#settings;
    const base = retryPauseMsMin * 2 ** Math.min(attempt, 16);
    return Math.min(base + base * this.#deps.random.next(), retryPauseMsMax);
  }

  #overload(count: number): ComponentError {
    return this.#unavailable(
      `redis at ${this.#settings.address}: ${count} commands with ${this.#bytes} bytes are waiting for the server, the limits are ${COMMANDS_MAX} and ${COMMAND_BYTES_MAX}`,
    );
  }

  #unavailable(message: string, cause?: unknown): ComponentError {
    return new ComponentError("unavailable", message, cause === undefined ? {} : { cause });
  }
}
