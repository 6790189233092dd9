import type { ReportedCondition } from "../components/spi/component.ts";
import type { Clock } from "../kit/clock.ts";
import type { ComponentResource } from "../resources/component.ts";
import type { Condition, ComponentCondition } from "./types.ts";

interface Entry {
  readonly resource: ComponentResource;
  condition: Condition;
  reason: string;
  sinceMs: number;
  /** The instance whose reports count; undefined while there is none. */
  instance: Instance | undefined;
}

interface Instance {
  condition: ReportedCondition;
  reason: string;
}

/** How each component that the inventory knows is doing, by name, in the order in which they became known. */
export class Conditions {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  list(): readonly ComponentCondition[] {
    return Array.from(this.#entries.values(), ({ resource, condition, reason, sinceMs }) => ({
      name: resource.name,
      type: resource.type,
      version: resource.version,
      condition,
      reason,
      sinceMs,
    }));
  }

  /** A component that is tried again stays `failed`, since when it failed first, until it succeeds. */
  starting(resource: ComponentResource): void {
    const entry = this.#entries.get(resource.name);
    if (entry?.resource !== resource || entry.condition !== "failed") {
      this.#set(resource, "starting", "");
    }
  }

  /** Takes the reports of one new instance: at once when it is in use, later when it still comes up, never after that. */
  reporterOf(resource: ComponentResource): (condition: ReportedCondition, reason?: string) => void {
    const instance: Instance = { condition: "ready", reason: "" };
    const own = this.#entries.get(resource.name);
    if (own !== undefined) {
      own.instance = instance;
    }
    return (condition, reason = "") => {
      if (own?.instance !== instance || instance.condition === condition) {
        return;
      }
      instance.condition = condition;
      instance.reason = condition === "ready" ? "" : reason;
      if (own.condition === "ready" || own.condition === "degraded") {
        this.#change(own, condition, instance.reason);
      }
    };
  }

  /** The instance is in use: from now on it is what it says it is. */
  started(resource: ComponentResource): void {
    const entry = this.#entries.get(resource.name);
    if (entry !== undefined) {
      this.#change(entry, entry.instance?.condition ?? "ready", entry.instance?.reason ?? "");
    }
  }

  failed(resource: ComponentResource, reason: string): void {
    this.#set(resource, "failed", reason);
  }

  waiting(resource: ComponentResource, secretStore: string): void {
    this.#set(resource, "waiting", `for secret store ${secretStore}`);
  }

  delete(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) {
      entry.instance = undefined;
      this.#entries.delete(name);
    }
  }

  #set(resource: ComponentResource, condition: Condition, reason: string): void {
    const entry = this.#entries.get(resource.name);
    if (entry?.resource === resource) {
      entry.instance = undefined;
      this.#change(entry, condition, reason);
      return;
    }
    if (entry !== undefined) {
      entry.instance = undefined;
    }
    const sinceMs = this.#clock.now();
    this.#entries.set(resource.name, { resource, condition, reason, sinceMs, instance: undefined });
  }

  #change(entry: Entry, condition: Condition, reason: string): void {
    if (entry.condition !== condition) {
      entry.sinceMs = this.#clock.now();
    }
    entry.condition = condition;
    entry.reason = reason;
  }
}
