/** `spec.metrics.rules[]` of a Configuration: rewrites the values of labels of one metric. */
export interface LabelRule {
  /** The metric's name, with or without the prefix `dapr_`. */
  readonly name: string;
  readonly labels: readonly {
    readonly name: string;
    /** Replacement (Go's `$1` and `${name}` templates) to the regular expression it replaces. */
    readonly regex: Readonly<Record<string, string>>;
  }[];
}

/** What rewrites one label's value; undefined where no rule names the label. */
export type LabelRewrite = (value: string) => string;

/** Thrown for a rule whose regular expression cannot be compiled. */
export class LabelRuleError extends Error {
  override readonly name = "LabelRuleError";
}

/** Rules by metric and label, compiled once. */
export class LabelRules {
  readonly #rewrites: ReadonlyMap<string, LabelRewrite>;

  /** @throws LabelRuleError */
  constructor(rules: readonly LabelRule[]) {
    const rewrites = new Map<string, LabelRewrite>();
    for (const rule of rules) {
      for (const label of rule.labels) {
        rewrites.set(ruleKey(rule.name.replace("dapr_", ""), label.name), compile(rule.name, label.name, label.regex));
      }
    }
    this.#rewrites = rewrites;
  }

  rewriteOf(metricName: string, labelName: string): LabelRewrite | undefined {
    return this.#rewrites.get(ruleKey(metricName, labelName));
  }
}

function ruleKey(metricName: string, labelName: string): string {
  return `${metricName} ${labelName}`;
}

function compile(ruleName: string, labelName: string, regex: Readonly<Record<string, string>>): LabelRewrite {
  const steps = Object.entries(regex).map(([replacement, source]) => ({
    pattern: compilePattern(ruleName, labelName, source),
    replace: expander(replacement),
  }));
  return (value) => steps.reduce((text, step) => text.replace(step.pattern, step.replace), value);
}

/** RE2 differs from JavaScript's syntax in two things people use: `(?P<name>…)` and leading flags `(?i)`. */
function compilePattern(ruleName: string, labelName: string, source: string): RegExp {
  const leading = /^\(\?([ims]+)\)/.exec(source);
  const body = source.slice(leading?.[0].length ?? 0).replaceAll("(?P<", "(?<");
  try {
    return new RegExp(body, `gu${leading?.[1] ?? ""}`);
  } catch (cause) {
    throw new LabelRuleError(`failed to compile regex for rule ${ruleName}/${labelName}: ${String(cause)}`, { cause });
  }
}

/** Go's `Regexp.Expand`: `$name` takes the longest run of word characters, an unknown group is empty, `$$` is a dollar. */
function expander(template: string): (...match: unknown[]) => string {
  return (...match) => {
    const named = typeof match.at(-1) === "object" ? (match.at(-1) as Record<string, string | undefined>) : {};
    return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (token, bare?: string, braced?: string) => {
      const group = bare ?? braced;
      if (group === undefined) {
        return token === "$$" ? "$" : token;
      }
      const value = /^\d+$/.test(group) ? groupAt(match, Number(group)) : named[group];
      return value ?? "";
    });
  };
}

/** After the groups, `replace` passes the offset (a number), so a group is whatever is still text. */
function groupAt(match: readonly unknown[], index: number): string | undefined {
  const offsetAt = match.findIndex((item) => typeof item === "number");
  const value = index < offsetAt ? match[index] : undefined;
  return typeof value === "string" ? value : undefined;
}
