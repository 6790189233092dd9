/** How often a resource may be asked for within an interval. */
export interface FlowRule {
  readonly resource: string;
  /** 0: the threshold as it is, 1: less of it after a quiet time. */
  readonly tokenCalculateStrategy: number;
  /** 0: what is too much is refused, 1: it is spread out in time. */
  readonly controlBehavior: number;
  readonly threshold: number;
  /** 1: what counts are the requests for `refResource`. */
  readonly relationStrategy: number;
  readonly refResource: string;
  readonly maxQueueingTimeMs: number;
  readonly warmUpPeriodSec: number;
  readonly warmUpColdFactor: number;
  readonly statIntervalInMs: number;
}

/** When a resource is refused for a while. */
export interface BreakerRule {
  readonly resource: string;
  /** 0: by the share of slow answers, 1: by that of failed ones, 2: by their number. */
  readonly strategy: number;
  readonly retryTimeoutMs: number;
  readonly minRequestAmount: number;
  readonly statIntervalMs: number;
  readonly statSlidingWindowBucketCount: number;
  readonly maxAllowedRtMs: number;
  readonly threshold: number;
  readonly probeNum: number;
}

/** How many requests a resource may have at a time. */
export interface IsolationRule {
  readonly resource: string;
  readonly metricType: number;
  readonly threshold: number;
}

/** A limit for all requests together. */
export interface SystemRule {
  /** 0: load of the host, 1: average time in ms, 2: concurrency, 3: requests a second, 4: CPU usage. */
  readonly metricType: number;
  readonly triggerCount: number;
  /** 1: the load counts only while there is more than fits the answers so far (BBR); anything else: always. */
  readonly strategy: number;
}

interface HotspotRule {
  readonly resource: string;
  readonly threshold: number;
}

/** Rules of one kind. */
const RULES_MAX = 10_000;
/** Characters of a list of rules. */
const RULES_CHARACTERS_MAX = 1024 * 1024;
const UINT32_MAX = 2 ** 32 - 1;

type Field = readonly ["text"] | readonly ["number"] | readonly ["count"] | readonly ["integer"];
type Fields = Readonly<Record<string, Field>>;

const TEXT: Field = ["text"];
const NUMBER: Field = ["number"];
const COUNT: Field = ["count"];
const INTEGER: Field = ["integer"];

const FLOW: Fields = {
  resource: TEXT,
  tokenCalculateStrategy: INTEGER,
  controlBehavior: INTEGER,
  threshold: NUMBER,
  relationStrategy: INTEGER,
  refResource: TEXT,
  maxQueueingTimeMs: COUNT,
  warmUpPeriodSec: COUNT,
  warmUpColdFactor: COUNT,
  statIntervalInMs: COUNT,
};
const BREAKER: Fields = {
  resource: TEXT,
  strategy: COUNT,
  retryTimeoutMs: COUNT,
  minRequestAmount: COUNT,
  statIntervalMs: COUNT,
  statSlidingWindowBucketCount: COUNT,
  maxAllowedRtMs: COUNT,
  threshold: NUMBER,
  probeNum: COUNT,
};
const ISOLATION: Fields = { resource: TEXT, metricType: INTEGER, threshold: COUNT };
const SYSTEM: Fields = { metricType: COUNT, triggerCount: NUMBER, strategy: INTEGER };
const HOTSPOT: Fields = { resource: TEXT, threshold: INTEGER };

/** @throws Error for what is no list of flow rules */
export const parseFlowRules = (text: string): readonly FlowRule[] => parse<FlowRule>(text, FLOW);
/** @throws Error for what is no list of circuit breaker rules */
export const parseBreakerRules = (text: string): readonly BreakerRule[] => parse<BreakerRule>(text, BREAKER);
/** @throws Error for what is no list of isolation rules */
export const parseIsolationRules = (text: string): readonly IsolationRule[] => parse<IsolationRule>(text, ISOLATION);
/** @throws Error for what is no list of system rules */
export const parseSystemRules = (text: string): readonly SystemRule[] => parse<SystemRule>(text, SYSTEM);
/** @throws Error for what is no list of hotspot rules */
export const parseHotspotRules = (text: string): readonly HotspotRule[] => parse<HotspotRule>(text, HOTSPOT);

/** Fields that are not written are 0 or empty, as in Go; fields that nobody knows are left alone. */
function parse<T>(text: string, fields: Fields): readonly T[] {
  if (text.length > RULES_CHARACTERS_MAX) {
    throw new Error(`there are ${text.length} characters, more than the limit of ${RULES_CHARACTERS_MAX}`);
  }
  const list = JSON.parse(text) as unknown;
  if (!Array.isArray(list)) {
    throw new Error("the rules are no JSON array");
  }
  if (list.length > RULES_MAX) {
    throw new Error(`there are ${list.length} rules, more than the limit of ${RULES_MAX}`);
  }
  return list.map((item: unknown, index) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) {
      throw new Error(`rule ${index + 1} is no object`);
    }
    const written = item as Readonly<Record<string, unknown>>;
    const rule = Object.entries(fields).map(([name, [kind]]) => {
      const value = written[name] ?? (kind === "text" ? "" : 0);
      if (!isOf(kind, value)) {
        throw new Error(`rule ${index + 1}: ${name} cannot be ${JSON.stringify(value)}`);
      }
      return [name, value];
    });
    return Object.fromEntries(rule) as T;
  });
}

function isOf(kind: Field[0], value: unknown): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "integer":
      return Number.isSafeInteger(value);
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= UINT32_MAX;
  }
}

/** Why Sentinel would leave a flow rule out; undefined: it would not. */
export function flowRuleFault(rule: FlowRule): string | undefined {
  if (rule.resource === "") return "empty Resource";
  if (rule.threshold < 0) return "negative Threshold";
  if (rule.tokenCalculateStrategy < 0 || rule.tokenCalculateStrategy > 1) return "unknown TokenCalculateStrategy";
  if (rule.controlBehavior < 0 || rule.controlBehavior > 1) return "unknown ControlBehavior";
  if (rule.relationStrategy < 0 || rule.relationStrategy > 1) return "invalid RelationStrategy";
  if (rule.relationStrategy === 1 && rule.refResource === "")
    return "RefResource must be non empty when RelationStrategy is AssociatedResource";
  if (rule.tokenCalculateStrategy === 1 && rule.warmUpPeriodSec === 0) return "WarmUpPeriodSec must be great than 0";
  if (rule.tokenCalculateStrategy === 1 && rule.warmUpColdFactor === 1) return "WarmUpColdFactor must be great than 1";
  return undefined;
}

/** The same for a circuit breaker rule. */
export function breakerRuleFault(rule: BreakerRule): string | undefined {
  if (rule.resource === "") return "empty resource name";
  if (rule.strategy > 2) return "unknown strategy";
  if (rule.statIntervalMs === 0) return "invalid StatIntervalMs";
  if (rule.retryTimeoutMs === 0) return "invalid RetryTimeoutMs";
  if (rule.threshold < 0) return "invalid Threshold";
  if (rule.strategy < 2 && rule.threshold > 1) return "invalid ratio threshold (valid range: [0.0, 1.0])";
  return undefined;
}

/** The same for an isolation rule. */
export function isolationRuleFault(rule: IsolationRule): string | undefined {
  if (rule.resource === "") return "empty resource of isolation rule";
  if (rule.metricType !== 0) return `unsupported metric type: ${rule.metricType}`;
  return rule.threshold === 0 ? "zero threshold" : undefined;
}

/** The same for a system rule. */
export function systemRuleFault(rule: SystemRule): string | undefined {
  if (rule.triggerCount < 0) return "negative threshold";
  return rule.metricType > 4 ? "invalid metric type" : undefined;
}
