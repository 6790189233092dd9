import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import { formatSpiffeId, type SpiffeId } from "../../kit/spiffe-id.ts";
import {
  type AccessControlList,
  type AccessVerdict,
  NO_VERB,
} from "../../security/access-control/access-control-list.ts";
import type { AccessControlMetrics } from "../../telemetry/metrics/access-control-metrics.ts";
import { ESCAPE_LAYERS_MAX, hasReadings, pathReadings, READ_CHARACTERS_MAX } from "./path-readings.ts";

/** Characters of a path that a refusal repeats: it travels in a header of the answer. */
const SHOWN_CHARACTERS_MAX = 1024;

/** Answers a path that nobody can say what the app reads in it. */
const UNREADABLE: AccessVerdict = {
  allowed: false,
  level: "global",
  rule: {
    text: `a path with escapes of more than ${ESCAPE_LAYERS_MAX} layers, or with any in more than ${READ_CHARACTERS_MAX} characters, is refused`,
    origin: undefined,
  },
};

export interface AccessCheckOptions {
  readonly list: AccessControlList;
  /** Absent: nobody counts. */
  readonly metrics?: Pick<AccessControlMetrics, "decided"> | undefined;
}

/** The one place where a call of this sidecar's app is held against `spec.accessControl`. */
export class AccessCheck {
  readonly #options: AccessCheckOptions;

  constructor(options: AccessCheckOptions) {
    this.#options = options;
  }

  /**
   * @param caller by the certificate of its connection; undefined: it has none, or is the app beside this sidecar
   * @param path as it goes to the app
   * @param verb empty: the call has none
   * @throws ApiError PERMISSION_DENIED, in Dapr's words
   */
  require(caller: SpiffeId | undefined, path: string, verb = ""): void {
    const { list, metrics } = this.#options;
    const asked = list.isHttp && verb !== "" ? verb : NO_VERB;
    const verdict = verdictOn(list, caller, path, asked);
    metrics?.decided(caller, verdict.level, verdict.allowed);
    if (!verdict.allowed) {
      const operation = path.length > SHOWN_CHARACTERS_MAX ? `${path.slice(0, SHOWN_CHARACTERS_MAX)}…` : path;
      const id = caller === undefined ? "" : formatSpiffeId(caller);
      throw apiError(invocationErrors.accessDenied, { id, operation, verb: asked });
    }
  }
}

/**
 * What the list says about a path in all its readings: one refusal refuses. Apps that speak gRPC get a method as it is, so
 * that there is one reading only.
 */
export function verdictOn(
  list: AccessControlList,
  caller: SpiffeId | undefined,
  path: string,
  verb: string,
): AccessVerdict {
  const verdict = list.check(caller, path, verb);
  if (!verdict.allowed || list.isUniform || !list.isHttp || !hasReadings(path)) {
    return verdict;
  }
  const readings = pathReadings(path);
  if (readings === undefined) {
    return UNREADABLE;
  }
  for (const reading of readings) {
    const other = list.check(caller, reading, verb);
    if (!other.allowed) {
      return other;
    }
  }
  return verdict;
}
