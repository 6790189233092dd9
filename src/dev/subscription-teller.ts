import type { SubscriptionCondition, SubscriptionConditions } from "../blocks/pubsub/subscription-conditions.ts";
import type { LineConsole } from "./types.ts";

/** Says which subscriptions of an app are not live, and why, once for each reason; and that they are, when they are after all. */
export class SubscriptionTeller {
  readonly #console: LineConsole;
  /** What was told last of an app's subscriptions, by app and then by subscription. */
  readonly #told = new Map<string, Map<string, string>>();

  constructor(console: LineConsole) {
    this.#console = console;
  }

  look(appId: string, { programmatic, subscriptions }: SubscriptionConditions): void {
    const told = this.#toldOf(appId);
    const wrong = new Map<string, string>();
    if (programmatic.state === "unknown" && programmatic.reason !== undefined) {
      wrong.set(OWN, `${appId} has not said what it subscribes to: ${programmatic.reason}\nIt is asked again.`);
    }
    for (const one of subscriptions) {
      const text = trouble(one);
      if (text !== undefined) {
        wrong.set(nameOf(one), text);
      }
    }
    for (const [name, text] of wrong) {
      if (told.get(name) !== text) {
        told.set(name, text);
        this.#console.say("error", appId, text);
      }
    }
    const stateOf = statesOf(programmatic, subscriptions);
    for (const name of told.keys()) {
      const state = stateOf(name);
      if (!wrong.has(name) && (state === "live" || state === "gone")) {
        told.delete(name);
        if (state === "live") {
          this.#console.say(
            "success",
            appId,
            name === OWN ? `${appId} has said what it subscribes to` : `${name} is live now`,
          );
        }
      }
    }
  }

  /** Kept while the app's sidecar starts again: what was told stands until it is well. */
  #toldOf(appId: string): Map<string, string> {
    const known = this.#told.get(appId) ?? new Map<string, string>();
    this.#told.set(appId, known);
    return known;
  }
}

/** How a subscription is doing that was told of; without the app's own list nobody knows that one is gone. */
function statesOf(
  programmatic: SubscriptionConditions["programmatic"],
  subscriptions: readonly SubscriptionCondition[],
): (name: string) => "live" | "gone" | "waiting" {
  const states = new Map(
    subscriptions.map((one) => [nameOf(one), one.state === "active" ? "live" : "waiting"] as const),
  );
  const isKnown = programmatic.state === "known";
  states.set(OWN, isKnown ? "live" : "waiting");
  return (name) => states.get(name) ?? (isKnown ? "gone" : "waiting");
}

/** Stands for the app's own list of subscriptions. */
const OWN = "";

function nameOf({ pubsubName, topic }: SubscriptionCondition): string {
  return `the subscription to topic ${topic} of ${pubsubName}`;
}

/** Undefined where all is well, or where the app itself is what is missing, which is told elsewhere. */
function trouble(one: SubscriptionCondition): string | undefined {
  const place =
    one.source.kind === "declarative" && one.source.place !== undefined
      ? ` (${one.source.place.file}:${one.source.place.line})`
      : "";
  const subject = `${nameOf(one)}${place}`;
  if (one.state === "refused") {
    return `${subject} is refused: ${one.reason ?? "no reason is given"}\nFix: correct what it names; nothing is delivered from this topic until then.`;
  }
  if (one.waitingFor === "component") {
    return `${subject} waits for component ${one.pubsubName}, which is not loaded\nFix: add that component, or correct the name; nothing is delivered from this topic until then.`;
  }
  if (one.waitingFor === "broker" && one.reason !== undefined) {
    return `${subject} is not live: ${one.reason}\nIt is tried again; nothing is delivered from this topic until then.`;
  }
  return undefined;
}
