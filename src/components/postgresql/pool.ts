import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { componentClosed, connectionText } from "./errors.ts";
import { CLOSE_MS_MAX, PROBE_IDLE_MS, WAITING_MAX } from "./limits.ts";
import { Outage } from "./outage.ts";
import type { Command, Session } from "./session.ts";
import type { PostgresSettings } from "./settings-types.ts";
import type { Outcome } from "./statement.ts";

/** Makes a session; `onLost` is told once when its connection goes away by itself. */
export type Connect = (
  signal: AbortSignal,
  onLost: (session: PooledSession, error: Error) => void,
) => Promise<PooledSession>;

/** What the pool needs of a session. */
export type PooledSession = Pick<
  Session,
  "openedMs" | "idleSinceMs" | "lifetimeMs" | "isOpen" | "run" | "probe" | "end" | "destroy"
>;

interface Waiter {
  readonly resolve: (session: PooledSession | undefined) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sessions of one database, made when they are needed, up to a number. A request that finds all in use waits its turn, for
 * a limited time. A lost server is reported once and looked for until it is back, so that the component is found ready
 * again without traffic.
 */
export class SessionPool {
  readonly #settings: PostgresSettings;
  readonly #deps: Pick<ComponentDeps, "clock" | "random" | "logger" | "report">;
  readonly #connect: Connect;
  /** The one that was used last is at the end and goes first. */
  readonly #idle: PooledSession[] = [];
  readonly #busy = new Set<PooledSession>();
  readonly #waiting = new Set<Waiter>();
  readonly #closing = new AbortController();
  #connecting = 0;
  #health: Timer | undefined;
  readonly #outage: Outage;
  #drained: (() => void) | undefined;

  constructor(
    settings: PostgresSettings,
    deps: Pick<ComponentDeps, "clock" | "random" | "logger" | "report">,
    connect: Connect,
  ) {
    this.#settings = settings;
    this.#deps = deps;
    this.#connect = connect;
    this.#outage = new Outage(deps, this.#closing.signal, () => this.#tryOnce());
  }

  /** Connects once. @throws ComponentError `unavailable` */
  async open(signal: AbortSignal): Promise<void> {
    this.#give(await this.#acquire(this.#orClosing(signal)));
    this.#health = this.#deps.clock.every(this.#settings.pool.healthPeriodMs, () => this.#look());
    this.#fill();
  }

  /**
   * @throws ComponentError as `Session.run` does, and `unavailable` when no connection is to be had
   */
  async run(command: Command, signal: AbortSignal | undefined): Promise<Outcome> {
    const session = await this.#acquire(this.#orClosing(signal));
    try {
      return await session.run(command, signal);
    } finally {
      this.#give(session);
    }
  }

  /** Waits a little for what is under way, then cuts it. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) {
      return;
    }
    this.#closing.abort(componentClosed());
    this.#health?.cancel();
    for (const waiter of this.#waiting) {
      waiter.reject(componentClosed());
    }
    this.#waiting.clear();
    const ending = this.#idle.splice(0).map((session) => session.end());
    if (this.#busy.size > 0) {
      const drained = new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
      const timer = this.#deps.clock.after(CLOSE_MS_MAX, () => {
        for (const session of this.#busy) {
          session.destroy();
        }
      });
      await drained;
      timer.cancel();
    }
    await Promise.all(ending);
  }

  #orClosing(signal: AbortSignal | undefined): AbortSignal {
    const { signal: closing } = this.#closing;
    return signal === undefined ? closing : AbortSignal.any([closing, signal]);
  }

  /** The time is for getting a connection, not for the command, which may take as long as the caller lets it. */
  async #acquire(signal: AbortSignal): Promise<PooledSession> {
    const overdue = new AbortController();
    const timer = this.#deps.clock.after(this.#settings.timeoutMs, () =>
      overdue.abort(new OverdueError(this.#tooLate())),
    );
    const limit = AbortSignal.any([signal, overdue.signal]);
    try {
      for (;;) {
        const session = await this.#next(limit);
        if (await this.#isAlive(session, limit)) {
          return session;
        }
        this.#busy.delete(session);
      }
    } finally {
      timer.cancel();
    }
  }

  async #next(signal: AbortSignal): Promise<PooledSession> {
    for (;;) {
      if (this.#closing.signal.aborted) {
        throw componentClosed();
      }
      if (signal.aborted) {
        throw asError(signal.reason);
      }
      const idle = this.#idle.pop();
      if (idle !== undefined) {
        this.#busy.add(idle);
        return idle;
      }
      if (this.#size < this.#settings.pool.connectionsMax) {
        return await this.#open(signal);
      }
      const given = await this.#wait(signal);
      if (given !== undefined) {
        return given;
      }
    }
  }

  get #size(): number {
    return this.#idle.length + this.#busy.size + this.#connecting;
  }

  async #open(signal: AbortSignal): Promise<PooledSession> {
    this.#connecting += 1;
    try {
      const session = await this.#connect(signal, (lost, error) => this.#lost(lost, error));
      if (this.#closing.signal.aborted) {
        session.destroy();
        throw componentClosed();
      }
      const { lifetimeMs, lifetimeJitterMs } = this.#settings.pool;
      this.#busy.add(session);
      session.lifetimeMs = lifetimeMs + lifetimeJitterMs * this.#deps.random.next();
      this.#outage.found();
      return session;
    } catch (error) {
      this.#blame(signal, errorMessage(error));
      throw signal.aborted && this.#closing.signal.aborted ? componentClosed() : asError(error);
    } finally {
      this.#connecting -= 1;
      this.#wake();
    }
  }

  /** Resolves with a session, or with nothing when there is room for a new one. */
  #wait(signal: AbortSignal): Promise<PooledSession | undefined> {
    if (this.#waiting.size >= WAITING_MAX) {
      return Promise.reject(
        new ComponentError(
          "unavailable",
          `${WAITING_MAX} requests wait for one of ${this.#settings.pool.connectionsMax} connections, which is the limit`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        if (this.#waiting.delete(waiter)) {
          signal.removeEventListener("abort", onAbort);
          act();
        }
      };
      const waiter: Waiter = {
        resolve: (session) => settle(() => resolve(session)),
        reject: (error) => settle(() => reject(error)),
      };
      const onAbort = (): void => waiter.reject(asError(signal.reason));
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #tooLate(): string {
    const { timeoutMs, pool } = this.#settings;
    return `no connection within ${timeoutMs / 1_000}s: at most ${pool.connectionsMax} may be open, ${this.#busy.size} are in use`;
  }

  /** Asks a session that has been idle for a while whether it still is one; the answer may take as long as a connection. */
  async #isAlive(session: PooledSession, signal: AbortSignal): Promise<boolean> {
    if (!session.isOpen) {
      return false;
    }
    if (this.#deps.clock.monotonicMs() - session.idleSinceMs <= PROBE_IDLE_MS) {
      return true;
    }
    try {
      await session.probe(signal);
      return session.isOpen;
    } catch (error) {
      session.destroy();
      this.#blame(signal, errorMessage(error));
      return false;
    }
  }

  /** The server is not to blame when the caller gave up, or when we are closing. */
  #blame(signal: AbortSignal, reason: string): void {
    if (!this.#closing.signal.aborted && (!signal.aborted || signal.reason instanceof OverdueError)) {
      this.#outage.away(reason);
    }
  }

  /** A session that somebody waits for stays among those in use. */
  #give(session: PooledSession): void {
    const isUsable = !this.#closing.signal.aborted && session.isOpen && !this.#isOld(session);
    const [first] = this.#waiting;
    if (isUsable && first !== undefined) {
      session.idleSinceMs = this.#deps.clock.monotonicMs();
      first.resolve(session);
      return;
    }
    this.#busy.delete(session);
    if (isUsable) {
      session.idleSinceMs = this.#deps.clock.monotonicMs();
      this.#idle.push(session);
      return;
    }
    if (session.isOpen) {
      void session.end();
    }
    this.#wake();
    if (this.#busy.size === 0) {
      this.#drained?.();
    }
  }

  /** Where there is room for one more session, whoever waits first makes it. */
  #wake(): void {
    const [first] = this.#waiting;
    if (this.#size < this.#settings.pool.connectionsMax) {
      first?.resolve(undefined);
    }
  }

  #isOld(session: PooledSession): boolean {
    return this.#deps.clock.monotonicMs() - session.openedMs > session.lifetimeMs;
  }

  #look(): void {
    const { idleMs, connectionsMin } = this.#settings.pool;
    const nowMs = this.#deps.clock.monotonicMs();
    for (const session of this.#idle.slice()) {
      const isIdle = nowMs - session.idleSinceMs > idleMs && this.#size > connectionsMin;
      if (isIdle || this.#isOld(session)) {
        this.#idle.splice(this.#idle.indexOf(session), 1);
        void session.end();
      }
    }
    this.#fill();
  }

  /** Makes the sessions that the pool is to keep at the least. */
  #fill(): void {
    const { connectionsMin, idleConnectionsMin, connectionsMax } = this.#settings.pool;
    const wanted = Math.min(
      Math.max(connectionsMin - this.#size, idleConnectionsMin - this.#idle.length),
      connectionsMax - this.#size,
    );
    for (let count = 0; count < wanted; count += 1) {
      void this.#addIdle();
    }
  }

  /** A failure has been reported by then. */
  async #addIdle(): Promise<void> {
    const overdue = new AbortController();
    const timer = this.#deps.clock.after(this.#settings.timeoutMs, () =>
      overdue.abort(new OverdueError(this.#tooLate())),
    );
    try {
      this.#give(await this.#open(AbortSignal.any([this.#closing.signal, overdue.signal])));
    } catch {
      // Whoever needs the session will hear why.
    } finally {
      timer.cancel();
    }
  }

  async #tryOnce(): Promise<void> {
    if (this.#size < this.#settings.pool.connectionsMax) {
      await this.#addIdle();
    }
  }

  #lost(session: PooledSession, error: Error): void {
    const at = this.#idle.indexOf(session);
    if (at !== -1) {
      this.#idle.splice(at, 1);
    }
    if (!this.#closing.signal.aborted) {
      this.#outage.away(connectionText(error));
    }
  }
}

/** A connection was not to be had in the time for it. */
class OverdueError extends ComponentError {
  constructor(message: string) {
    super("unavailable", message);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
