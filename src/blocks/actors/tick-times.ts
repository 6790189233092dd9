import { parseGoDuration } from "../../kit/duration.ts";
import { addIsoDuration, type IsoDuration, parseIsoDuration } from "../../kit/iso-duration.ts";
import { parseRfc3339 } from "../../kit/rfc3339.ts";

/** When something ticks: first at `dueMs`, then each `period` later, `ticks` times in all. Moments are milliseconds since 1970. */
export interface TickTimes {
  readonly dueMs: number;
  /** Undefined: one tick. */
  readonly period: IsoDuration | undefined;
  /** Undefined: no limit. */
  readonly ticks: number | undefined;
  readonly expiresMs: number | undefined;
}

/** The times as the user gave them; empty: none. */
export interface TickTexts {
  readonly dueTime: string;
  readonly period: string;
  readonly ttl: string;
}

/**
 * Reads durations (Go's, ISO 8601) and moments (RFC 3339) as Dapr does for timers.
 * @throws Error in Dapr's words
 */
export function parseTickTimes({ dueTime, period, ttl }: TickTexts, key: string, nowMs: number): TickTimes {
  const dueMs = dueTime === "" ? nowMs : moment(dueTime, nowMs, "error parsing timer due time");
  const every = period === "" ? undefined : parsePeriod(period);
  const expiresMs = ttl === "" ? undefined : moment(ttl, dueMs, "error parsing timer TTL");
  if (expiresMs !== undefined && (nowMs > expiresMs || dueMs > expiresMs)) {
    throw new Error(`timer ${key} has already expired: dueTime: ${new Date(dueMs).toISOString()} TTL: ${ttl}`);
  }
  return { dueMs, period: every?.span, ticks: every === undefined ? 1 : every.ticks, expiresMs };
}

function parsePeriod(text: string): { readonly span: IsoDuration | undefined; readonly ticks: number | undefined } {
  const iso = parseIsoDuration(text) ?? goSpan(text);
  if (iso === undefined) {
    throw new Error(`invalid timer period: parse error: unsupported duration format: ${text}`);
  }
  if (iso.repetitions === 0) {
    throw new Error("invalid timer period: has zero repetitions");
  }
  const moves = iso.years !== 0 || iso.months !== 0 || iso.days !== 0 || iso.ms !== 0;
  const ticks = iso.repetitions === undefined || iso.repetitions < 0 ? undefined : iso.repetitions;
  return moves ? { span: iso, ticks } : { span: undefined, ticks: 1 };
}

function moment(text: string, fromMs: number, failure: string): number {
  const span = parseIsoDuration(text) ?? goSpan(text);
  if (span?.repetitions !== undefined) {
    throw new Error(`${failure}: repetitions are not allowed`);
  }
  const found = span === undefined ? parseRfc3339(text) : addIsoDuration(fromMs, span);
  if (found === undefined) {
    throw new Error(`${failure}: unsupported time/duration format: ${text}`);
  }
  return found;
}

function goSpan(text: string): IsoDuration | undefined {
  try {
    return { years: 0, months: 0, days: 0, ms: parseGoDuration(text), repetitions: undefined };
  } catch {
    return undefined;
  }
}
