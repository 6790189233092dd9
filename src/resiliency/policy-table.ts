import { errorMessage } from "../kit/error-message.ts";
import { goQuote } from "../kit/go-quote.ts";
import type { Logger } from "../kit/logger.ts";
import { BUILT_IN_RETRIES_MIN, builtInPolicies, isBuiltInPolicy, PROTECTED_POLICY } from "./built-in-policies.ts";
import type { BreakerRule } from "./circuit-breaker.ts";
import type { RetryRule } from "./compiled-policy.ts";
import { decodeBreaker, decodeRetry, decodeTimeout, PolicyDecodeError } from "./decode.ts";
import type {
  ActorTargetDocument,
  AppTargetDocument,
  ComponentTargetDocument,
  PolicyNames,
  ResiliencyDocument,
  RetryDocument,
} from "./document.ts";
import type { ResiliencyObserver } from "./observer.ts";
import { StatusPatternError } from "./status-match.ts";

/** Endpoints of an app whose breakers are kept, where its target does not say. */
const ENDPOINTS_MAX = 100;

/** Actors of a type whose breakers are kept, where its target does not say. */
export const ACTOR_BREAKERS_MAX = 5_000;

const ACTOR_BREAKER_SCOPES: readonly string[] = ["type", "id", "both"];

/** An app's target: its policies, and for how many endpoints breakers are kept. */
export interface AppTarget {
  readonly names: PolicyNames;
  readonly endpointsMax: number;
}

/** A target of actors: its policies, whether all actors of the type share one breaker, and how many breakers are kept. */
export interface ActorTarget {
  readonly names: PolicyNames;
  readonly sharesBreaker: boolean;
  readonly breakersMax: number;
}

/** The policies and targets of all resources; where two name the same, the later one counts. */
export class PolicyTable {
  /** Metrics count all policies under the resource that was read last. */
  name = "";
  namespace = "";
  /** Milliseconds; undefined: a policy that limits nothing. */
  readonly timeouts = new Map<string, number | undefined>();
  readonly retries: Map<string, RetryRule> = builtInPolicies();
  readonly breakers = new Map<string, BreakerRule>();
  readonly apps = new Map<string, AppTarget>();
  readonly actors = new Map<string, ActorTarget>();
  readonly components = new Map<string, ComponentTargetDocument>();

  /** Policies come first: what is wrong with one takes the rest of the resource with it, not what was read before it. */
  async read(document: ResiliencyDocument, logger: Logger): Promise<void> {
    this.name = document.name;
    this.namespace = document.namespace;
    for (const [name, text] of document.timeouts) {
      this.timeouts.set(name, decodeTimeout(name, text));
    }
    for (const [name, retry] of document.retries) {
      this.#readRetry(name, retry, logger);
    }
    for (const [name, breaker] of document.circuitBreakers) {
      this.breakers.set(name, await decodeBreaker(name, breaker));
    }
    for (const [name, target] of document.targets.apps) {
      this.apps.set(name, appTarget(target));
    }
    for (const [type, target] of document.targets.actors) {
      this.actors.set(type, actorTarget(target));
    }
    for (const [name, target] of document.targets.components) {
      this.components.set(name, target);
    }
  }

  #readRetry(name: string, document: RetryDocument, logger: Logger): void {
    const rule = decodeRetry(name, document);
    if (name === PROTECTED_POLICY) {
      logger.warn(
        `Attempted to override protected policy ${name} which is not allowed. Ignoring provided policy and using default.`,
      );
      return;
    }
    const { retriesMax } = rule.backoff;
    if (isBuiltInPolicy(name) && (retriesMax === undefined || retriesMax < BUILT_IN_RETRIES_MIN)) {
      logger.warn(`Attempted override of ${name} did not meet minimum retry count, resetting to 3.`);
      this.retries.set(name, { ...rule, backoff: { ...rule.backoff, retriesMax: BUILT_IN_RETRIES_MIN } });
      return;
    }
    this.retries.set(name, rule);
  }
}

/** Reads all resources. One that cannot be read is told about, as in Dapr, and the sidecar runs on. */
export async function readPolicies(
  documents: readonly ResiliencyDocument[],
  logger: Logger,
  observer: ResiliencyObserver | undefined,
): Promise<PolicyTable> {
  const table = new PolicyTable();
  for (const document of documents) {
    logger.info(`Loading Resiliency configuration: ${document.name}`);
    try {
      await table.read(document, logger);
    } catch (error) {
      if (!(error instanceof PolicyDecodeError || error instanceof StatusPatternError)) {
        throw error;
      }
      logger.error(`Could not read resiliency policy ${document.name}: ${errorMessage(error)}`);
      continue;
    }
    observer?.loaded(document.name, document.namespace);
  }
  warnOfUnknownNames(table, logger);
  return table;
}

function appTarget(target: AppTargetDocument): AppTarget {
  const size = target.circuitBreakerCacheSize ?? 0;
  if (size < 0) {
    throw new PolicyDecodeError("must provide a positive size");
  }
  return { names: target, endpointsMax: size === 0 ? ENDPOINTS_MAX : size };
}

function actorTarget(target: ActorTargetDocument): ActorTarget {
  const { circuitBreaker, circuitBreakerScope: scope = "" } = target;
  if (circuitBreaker !== undefined && circuitBreaker !== "") {
    if (scope === "") {
      throw new PolicyDecodeError("actor circuit breakers must include scope");
    }
    if (!ACTOR_BREAKER_SCOPES.includes(scope)) {
      throw new PolicyDecodeError(`unknown circuit breaker scope ${goQuote(scope)}`);
    }
  }
  const size = target.circuitBreakerCacheSize ?? 0;
  if (size < 0) {
    throw new PolicyDecodeError("must provide a positive size");
  }
  return { names: target, sharesBreaker: scope === "type", breakersMax: size === 0 ? ACTOR_BREAKERS_MAX : size };
}

/** Dapr says nothing about a mistyped name, or crashes on it with the first call. */
function warnOfUnknownNames(table: PolicyTable, logger: Logger): void {
  const check = (target: string, names: PolicyNames | undefined): void => {
    const wanted = [
      ["timeout", names?.timeout, table.timeouts],
      ["retry", names?.retry, table.retries],
      ["circuit breaker", names?.circuitBreaker, table.breakers],
    ] as const;
    for (const [kind, name, known] of wanted) {
      if (name !== undefined && name !== "" && !known.has(name)) {
        logger.warn(
          `resiliency target ${target} names the ${kind} policy ${goQuote(name)}, which is not defined; it has no effect`,
        );
      }
    }
  };
  for (const [app, { names }] of table.apps) {
    check(`app ${goQuote(app)}`, names);
  }
  for (const [type, { names }] of table.actors) {
    check(`actor ${goQuote(type)}`, names);
  }
  for (const [component, { inbound, outbound }] of table.components) {
    check(`component ${goQuote(component)} (inbound)`, inbound);
    check(`component ${goQuote(component)} (outbound)`, outbound);
  }
}
