import type { SubscriptionRule } from "../../app/types.ts";
import { compileCel } from "../../kit/cel.ts";

/** An event's attributes, `data` among them, as parsed JSON. */
export type EventFields = Readonly<Record<string, unknown>>;

/** The path of the first rule that fits the event; undefined when none does. Throws when a rule cannot be evaluated. */
export type Route = (event: EventFields) => string | undefined;

/**
 * Compiles routing rules in CEL over the one variable `event`. A rule without match fits everything. The CEL library is
 * loaded only for a rule that needs it.
 * @throws Error for an expression that does not parse
 */
export async function compileRoute(rules: readonly SubscriptionRule[]): Promise<Route> {
  const first = rules[0];
  if (first === undefined) {
    return () => undefined;
  }
  if (first.match.trim() === "") {
    return () => first.path;
  }
  const matches = rules.map((rule) => rule.match.trim());
  const programs = await compileCel(matches.filter((match) => match !== ""));
  let next = 0;
  const compiled = rules.map((rule, index) => ({
    path: rule.path,
    match: matches[index],
    evaluate: matches[index] === "" ? undefined : programs[next++],
  }));
  return (event) => {
    for (const rule of compiled) {
      if (rule.evaluate === undefined) {
        return rule.path;
      }
      const result = rule.evaluate({ event });
      if (typeof result !== "boolean") {
        throw new TypeError(`the result of match expression ${rule.match} was not a boolean`);
      }
      if (result) {
        return rule.path;
      }
    }
    return undefined;
  };
}
