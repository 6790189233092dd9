import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";

/** Name of the cookie, which is that of Dapr's middleware. */
export const SESSION_COOKIE = "gosessionsid";

/** Milliseconds from its beginning that a session lives, signed in or not. */
export const SESSION_MS = 7_200_000;

/** People who are about to sign in, at a time; of more, the first ones have to begin again. */
const PENDING_MAX = 10_000;
/** People who have signed in, at a time; of more, the first ones have to sign in again. */
const SIGNED_IN_MAX = 100_000;
const ID_BYTES = 32;
const SESSION_ID = /^[A-Za-z0-9_-]{43}$/;

/** Somebody who was sent to the identity provider. */
export interface PendingSession {
  /** What the provider has to repeat. */
  readonly state: string;
  /** Path and query that were asked for. */
  readonly target: string;
}

interface Held<T> {
  readonly value: T;
  readonly untilMs: number;
}

/**
 * Who is signing in and who has, by the id in their cookie. Both are bounded on their own, so that nobody who only begins
 * to sign in can put out those who have.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pending = new Map<string, Held<PendingSession>>();
  readonly #signedIn = new Map<string, Held<string>>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @param id of the session that goes on; undefined or unknown: a new one. @returns the session's id */
  begin(id: string | undefined, pending: PendingSession): string {
    const own = id !== undefined && this.#pending.has(id) ? id : this.#newId();
    this.#keep(this.#pending, own, pending, SESSION_MS, PENDING_MAX);
    return own;
  }

  pendingOf(id: string | undefined): PendingSession | undefined {
    return id === undefined ? undefined : this.#valid(this.#pending, id);
  }

  /** Ends the session that was pending and begins one with another id, which only the one who signed in has seen. */
  signIn(id: string, header: string, livesMs: number): string {
    this.#pending.delete(id);
    const own = this.#newId();
    this.#keep(this.#signedIn, own, header, Math.min(livesMs, SESSION_MS), SIGNED_IN_MAX);
    return own;
  }

  /** The header of somebody who has signed in. */
  headerOf(id: string | undefined): string | undefined {
    return id === undefined ? undefined : this.#valid(this.#signedIn, id);
  }

  #newId(): string {
    return Buffer.from(this.#random.bytes(ID_BYTES)).toString("base64url");
  }

  #keep<T>(sessions: Map<string, Held<T>>, id: string, value: T, livesMs: number, sessionsMax: number): void {
    sessions.delete(id);
    sessions.set(id, { value, untilMs: this.#clock.monotonicMs() + livesMs });
    if (sessions.size > sessionsMax) {
      const [oldest] = sessions.keys();
      sessions.delete(oldest as string);
    }
  }

  #valid<T>(sessions: Map<string, Held<T>>, id: string): T | undefined {
    const held = sessions.get(id);
    if (held !== undefined && held.untilMs <= this.#clock.monotonicMs()) {
      sessions.delete(id);
      return undefined;
    }
    return held?.value;
  }
}

/** The session's id in a request's cookies; undefined where there is none that we could have made. */
export function sessionIdOf(cookies: string | undefined): string | undefined {
  for (const pair of (cookies ?? "").split(";")) {
    const mark = pair.indexOf("=");
    if (mark !== -1 && pair.slice(0, mark).trim() === SESSION_COOKIE) {
      const id = pair.slice(mark + 1).trim();
      return SESSION_ID.test(id) ? id : undefined;
    }
  }
  return undefined;
}

/** The `Set-Cookie` of a session. @param host of the request, port included or not; @param nowMs wall time */
export function sessionCookie(id: string, host: string, nowMs: number, httpsOnly: boolean): string {
  const domain = cookieDomain(host.replace(/:\d+$/, ""));
  const expires = new Date(nowMs + SESSION_MS).toUTCString();
  return [
    `${SESSION_COOKIE}=${id}`,
    "Path=/",
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    `Expires=${expires}`,
    "HttpOnly",
    ...(httpsOnly ? ["Secure"] : []),
    "SameSite=Lax",
  ].join("; ");
}

/** The last two labels of a host's name, so that its siblings share the session, as in Dapr; undefined for addresses and single names. */
function cookieDomain(host: string): string | undefined {
  const labels = host.split(".");
  const isName = /^[A-Za-z0-9.-]+$/.test(host) && labels.length > 1 && !/^\d+$/.test(labels.at(-1) ?? "");
  return isName ? labels.slice(-2).join(".") : undefined;
}
