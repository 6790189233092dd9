import { sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { EndingBody } from "../spi/ending-body.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { plainAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { decodedPath } from "../../net/http/request-target.ts";
import { Breaker } from "./breaker.ts";
import { FlowControl } from "./flow-control.ts";
import { sentinelFields } from "./manifest.ts";
import {
  breakerRuleFault,
  flowRuleFault,
  isolationRuleFault,
  parseBreakerRules,
  parseFlowRules,
  parseHotspotRules,
  parseIsolationRules,
  parseSystemRules,
  systemRuleFault,
} from "./rules.ts";
import { SystemGuard } from "./system-guard.ts";

const MEMORY_ADAPTIVE = 2;
const CPU_USAGE = 4;

/** Makes the middleware; see the manifest. */
export function createSentinel(deps: ComponentDeps): HttpMiddleware {
  return new Sentinel(deps);
}

/** What there is to know and to keep about one resource that rules are about. */
interface Resource {
  readonly flows: FlowControl[];
  /** Rules, of this resource or others, that count its requests. */
  readonly counting: FlowControl[];
  readonly breakers: Breaker[];
  /** Requests at a time. */
  concurrencyMax: number;
  concurrency: number;
}

class Sentinel implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  /** Only resources that a rule names, so that there are no more of them than rules. */
  readonly #resources = new Map<string, Resource>();
  #system = new SystemGuard([]);

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger } = this.#deps;
    const fields = decodeMetadata(sentinelFields, metadata, { component: name, logger });
    const { flowRules, isolationRules, circuitBreakerRules, hotSpotParamRules, systemRules } = fields;
    for (const rule of this.#rules("flow", flowRules, parseFlowRules, flowRuleFault)) {
      const flow = new FlowControl(rule);
      this.#resource(rule.resource).flows.push(flow);
      this.#resource(flow.counted).counting.push(flow);
    }
    for (const { resource, threshold } of this.#rules(
      "isolation",
      isolationRules,
      parseIsolationRules,
      isolationRuleFault,
    )) {
      const entry = this.#resource(resource);
      entry.concurrencyMax = Math.min(entry.concurrencyMax, threshold);
    }
    for (const rule of this.#rules("circuit breaker", circuitBreakerRules, parseBreakerRules, breakerRuleFault)) {
      this.#resource(rule.resource).breakers.push(new Breaker(rule));
    }
    if (this.#rules("hotspot param", hotSpotParamRules, parseHotspotRules, () => undefined).length > 0) {
      logger.warn(`component ${name}: hotSpotParamRules have no effect: requests carry no parameters for them`);
    }
    this.#system = new SystemGuard(this.#rules("system", systemRules, parseSystemRules, systemRuleFault));
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    const resource = this.#resources.get(`${request.method}:${decodedPath(request.target)}`);
    const startMs = await this.#enter(resource, request);
    if (startMs === undefined) {
      return plainAnswer(429);
    }
    let response: HttpResponse;
    try {
      response = await next(request);
    } catch (error) {
      this.#end(resource, startMs, true);
      throw error;
    }
    const end = (): void => this.#end(resource, startMs, response.status >= 500);
    if (response.body instanceof Uint8Array) {
      end();
      return response;
    }
    return { ...response, body: new EndingBody(response.body, end) };
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  /**
   * In Sentinel's order: system, flow, isolation, circuit breakers. A request is counted in the same turn in which it was
   * let through, so that others which come with it are not let through for the same room.
   * @returns when it began, undefined when it is refused
   */
  async #enter(resource: Resource | undefined, { signal }: MiddlewareRequest): Promise<number | undefined> {
    const { clock } = this.#deps;
    if (!this.#system.check(clock.monotonicMs())) {
      return undefined;
    }
    for (const flow of resource?.flows ?? []) {
      const waitMs = flow.check(clock.monotonicMs());
      if (waitMs === undefined) {
        return undefined;
      }
      if (waitMs > 0) {
        await sleep(clock, waitMs, signal);
      }
    }
    const hasRoom =
      resource === undefined ||
      (resource.concurrency < resource.concurrencyMax && passBreakers(resource.breakers, clock.monotonicMs()));
    return hasRoom ? this.#begin(resource) : undefined;
  }

  #begin(resource: Resource | undefined): number {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#system.passed(nowMs);
    if (resource !== undefined) {
      resource.concurrency += 1;
      for (const flow of resource.counting) {
        flow.passed(nowMs);
      }
    }
    return nowMs;
  }

  #end(resource: Resource | undefined, startMs: number, failed: boolean): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#system.completed(nowMs - startMs, nowMs);
    if (resource !== undefined) {
      resource.concurrency -= 1;
      for (const breaker of resource.breakers) {
        breaker.completed(nowMs - startMs, failed, nowMs);
      }
    }
  }

  #resource(name: string): Resource {
    let resource = this.#resources.get(name);
    if (resource === undefined) {
      resource = { flows: [], counting: [], breakers: [], concurrencyMax: Number.POSITIVE_INFINITY, concurrency: 0 };
      this.#resources.set(name, resource);
    }
    return resource;
  }

  /** Rules that Sentinel would leave out are left out here, and named; those that it has and we have not are refused. */
  #rules<T extends object>(
    kind: string,
    text: string | undefined,
    parse: (text: string) => readonly T[],
    faultOf: (rule: T) => string | undefined,
  ): readonly T[] {
    if (text === undefined) {
      return [];
    }
    let rules: readonly T[];
    try {
      rules = parse(text);
      rules.forEach(refuseUnsupported);
    } catch (cause) {
      const message = `fail to load sentinel ${kind} rules '${text}': ${errorMessage(cause)}`;
      throw new ComponentError("invalidMetadata", message, { cause });
    }
    return rules.filter((rule) => {
      const fault = faultOf(rule);
      if (fault !== undefined) {
        this.#deps.logger.warn(`Ignoring invalid ${kind} rule ${JSON.stringify(rule)}: ${fault}`);
      }
      return fault === undefined;
    });
  }
}

function refuseUnsupported(rule: {
  readonly tokenCalculateStrategy?: number;
  readonly triggerCount?: number;
  readonly metricType?: number;
}): void {
  if (rule.tokenCalculateStrategy === MEMORY_ADAPTIVE) {
    throw new Error("tokenCalculateStrategy 2 (by the memory in use) is not supported: use 0 or 1");
  }
  if (rule.triggerCount !== undefined && rule.metricType === CPU_USAGE) {
    throw new Error(
      "metricType 4 (CPU usage) is not supported: use 0 (load), 1 (average time), 2 (concurrency) or 3 (rate)",
    );
  }
}

/** All or none: what was taken for a probe is given back. */
function passBreakers(breakers: readonly Breaker[], nowMs: number): boolean {
  for (const [index, breaker] of breakers.entries()) {
    if (!breaker.tryPass(nowMs)) {
      for (const passed of breakers.slice(0, index)) {
        passed.undo();
      }
      return false;
    }
  }
  return true;
}
