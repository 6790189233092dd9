import { goQuote } from "../kit/go-quote.ts";
import type { FailureStatus } from "./types.ts";

/** `matching` of a retry policy does not read; the message is Dapr's. */
export class StatusPatternError extends Error {
  override readonly name = "StatusPatternError";
}

interface CodeRange {
  readonly first: number;
  readonly last: number;
}

const HTTP_CODES: CodeRange = { first: 100, last: 599 };
const GRPC_CODES: CodeRange = { first: 0, last: 16 };

/** Codes that are repeated; undefined: all. */
export interface StatusMatch {
  readonly http: readonly CodeRange[] | undefined;
  readonly grpc: readonly CodeRange[] | undefined;
}

export const ANY_STATUS: StatusMatch = { http: undefined, grpc: undefined };

/**
 * Reads lists of codes and ranges (`429,500-503`); an empty list matches all codes.
 * @throws StatusPatternError
 */
export function parseStatusMatch(http: string, grpc: string): StatusMatch {
  return { http: parseRanges(http, HTTP_CODES), grpc: parseRanges(grpc, GRPC_CODES) };
}

/** Codes of neither protocol are never repeated, whatever the policy says. */
export function matchesStatus(match: StatusMatch, status: FailureStatus): boolean {
  if (status.kind === "none") {
    return true;
  }
  const { kind, code } = status;
  const [ranges, valid] = kind === "http" ? [match.http, HTTP_CODES] : [match.grpc, GRPC_CODES];
  if (code < valid.first || code > valid.last) {
    return false;
  }
  return ranges === undefined || ranges.some(({ first, last }) => first <= code && code <= last);
}

function parseRanges(text: string, valid: CodeRange): readonly CodeRange[] | undefined {
  if (text === "") {
    return undefined;
  }
  return text
    .split(",")
    .filter((pattern) => pattern !== "")
    .map((pattern) => parseRange(pattern, valid));
}

function parseRange(pattern: string, valid: CodeRange): CodeRange {
  const [start = "", end, ...rest] = pattern.split("-");
  if (rest.length > 0) {
    throw new StatusPatternError(`invalid pattern ${pattern}, more than one '-' exists`);
  }
  const first = parseCode(start, "start", pattern, valid);
  const last = end === undefined ? first : parseCode(end, "end", pattern, valid);
  if (last < first) {
    throw new StatusPatternError(`invalid pattern ${pattern}, start value should not bigger than end value`);
  }
  return { first, last };
}

const WHOLE_NUMBER = /^[+-]?\d+$/;

function parseCode(text: string, which: "start" | "end", pattern: string, valid: CodeRange): number {
  if (!WHOLE_NUMBER.test(text)) {
    throw new StatusPatternError(
      `failed to parse ${which} code ${text} from pattern ${pattern} to int, strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`,
    );
  }
  const code = Number(text);
  if (code < valid.first || code > valid.last) {
    throw new StatusPatternError(`invalid pattern ${pattern}, ${which} code ${text} is not valid`);
  }
  return code;
}
