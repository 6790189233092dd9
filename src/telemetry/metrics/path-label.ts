import { decodedPath } from "../../net/http/request-target.ts";
import { PathPatterns } from "./path-patterns.ts";

/** How calls' paths become the label `path` (`spec.metrics.http` of a Configuration). */
export interface PathLabelOptions {
  /** True, which is 1.18's default: paths with ids of known APIs blanked out. False: no path unless a pattern fits. */
  readonly increasedCardinality: boolean;
  readonly pathMatching: readonly string[];
}

/** Paths of the app's own contract, shown whatever the cardinality. */
const STATIC_PATHS: ReadonlySet<string> = new Set(["/dapr/config", "/dapr/metrics", "/dapr/subscribe", "/healthz"]);

const INVOKE_PREFIX = "/v1.0/invoke/";

/** Makes the label `path` of HTTP metrics as Dapr's `pkg/diagnostics/http_monitoring*.go` does. */
export class PathLabels {
  readonly #increased: boolean;
  readonly #patterns: PathPatterns | undefined;
  /** With increased cardinality and no pattern `/`, a path that no pattern fits is shown as it is. */
  readonly #hasRootPattern: boolean;

  /** @throws PathPatternError */
  constructor(options: PathLabelOptions) {
    const patterns = new Set<string>();
    for (const raw of options.pathMatching) {
      const pattern = normalizePath(raw);
      patterns.add(pattern);
      if (!pattern.startsWith(INVOKE_PREFIX)) {
        patterns.add(`${INVOKE_PREFIX}{app_id}/method${pattern}`);
      }
    }
    this.#increased = options.increasedCardinality;
    this.#patterns = patterns.size > 0 ? new PathPatterns(patterns) : undefined;
    this.#hasRootPattern = patterns.has("/");
  }

  /** Label of a call to the sidecar; `target` is path and query as they came. */
  ofTarget(target: string): string {
    if (this.#patterns !== undefined) {
      return this.#matched(normalizePath(decodedPath(target)), this.#patterns);
    }
    return this.#increased ? legacyPathLabel(decodedPath(target)) : "";
  }

  /** Label of a call to the app; `path` is decoded and has no query. */
  ofAppPath(path: string): string {
    if (this.#patterns !== undefined) {
      return legacyPathLabel(this.#matched(path, this.#patterns));
    }
    return this.#increased ? legacyPathLabel(path) : staticPath(path);
  }

  #matched(path: string, patterns: PathPatterns): string {
    if (STATIC_PATHS.has(path)) {
      return path;
    }
    const direct = this.#match(path, patterns);
    if (direct !== "" && !(this.#increased && direct === path)) {
      return direct;
    }
    const normalized = legacyPathLabel(path);
    if (normalized !== path) {
      const matched = this.#match(normalized, patterns);
      if (matched !== "" && matched !== "/") {
        return matched;
      }
    }
    return this.#increased ? normalized : "";
  }

  #match(path: string, patterns: PathPatterns): string {
    if (path === "") {
      return "";
    }
    const clean = normalizePath(path);
    return patterns.match(clean) ?? (this.#increased && !this.#hasRootPattern ? clean : "");
  }
}

/** Methods come without their slash. */
function staticPath(path: string): string {
  const rooted = path.startsWith("/") ? path : `/${path}`;
  return STATIC_PATHS.has(rooted) ? rooted : "";
}

/** Merges double slashes and puts one in front. */
function normalizePath(path: string): string {
  let normal = path;
  while (normal.includes("//")) {
    normal = normal.replaceAll("//", "/");
  }
  return normal.startsWith("/") ? normal : `/${normal}`;
}

/**
 * Blanks out what varies in the paths of Dapr's own APIs: keys of state and secrets, ids of actors and workflow
 * instances. Other paths, those of service invocation among them, stay whole.
 */
export function legacyPathLabel(rawPath: string): string {
  if (rawPath === "") {
    return "";
  }
  const path = rawPath.includes("//") || !rawPath.startsWith("/") ? normalizePath(rawPath) : rawPath;
  const second = path.indexOf("/", 1);
  const third = second === -1 ? -1 : path.indexOf("/", second + 1);
  if (third === -1) {
    return path;
  }
  if (second === 7 && path.startsWith("/actors/")) {
    const end = path.indexOf("/", third + 1);
    return `${path.slice(1, third + 1)}{id}${end === -1 ? "" : path.slice(end)}`;
  }
  const group = path.slice(second + 1, third);
  if (group === "state" || group === "secrets") {
    const end = path.indexOf("/", third + 1);
    return end === -1 ? path : path.slice(0, end);
  }
  if (group === "actors") {
    return actorsLabel(path, third);
  }
  return group === "workflows" ? workflowsLabel(path, third) : path;
}

/** `/v1.0/actors/{type}/1/timers/name` → `/v1.0/actors/{type}/{id}/timers` */
function actorsLabel(path: string, third: number): string {
  const fourth = path.indexOf("/", third + 1);
  const fifth = fourth === -1 ? -1 : path.indexOf("/", fourth + 1);
  if (fifth === -1) {
    return path;
  }
  const sixth = path.indexOf("/", fifth + 1);
  return `${path.slice(0, fourth + 1)}{id}${path.slice(fifth, sixth === -1 ? undefined : sixth)}`;
}

function workflowsLabel(path: string, third: number): string {
  const fourth = path.indexOf("/", third + 1);
  if (fourth === -1) {
    return path;
  }
  const instance = `${path.slice(0, fourth + 1)}{instanceId}`;
  const fifth = path.indexOf("/", fourth + 1);
  if (fifth === -1) {
    return instance;
  }
  const sixth = path.indexOf("/", fifth + 1);
  if (sixth === -1) {
    return path.startsWith("start", fifth + 1) ? `${path.slice(0, fifth)}/start` : instance + path.slice(fifth);
  }
  const operation = path.slice(fifth, sixth);
  return operation === "/raiseEvent" && sixth < path.length - 1
    ? `${instance}/raiseEvent/{eventName}`
    : instance + operation;
}
