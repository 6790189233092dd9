import type { ReportedCondition } from "../components/spi/component.ts";
import type { Clock } from "../kit/clock.ts";
import type { ComponentResource } from "../resources/component.ts";
import type { Condition, ComponentCondition, RejectedChange } from "./types.ts";

interface Entry {
  resource: ComponentResource;
  condition: Condition;
  reason: string;
  sinceMs: number;
  /** The instance whose reports count; undefined while there is none. */
  instance: Instance | undefined;
  /** The one that comes up, and whose reports count once it is in use. */
  next: Instance | undefined;
  rejected: RejectedChange | undefined;
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
    return Array.from(this.#entries.values(), ({ resource, condition, reason, sinceMs, rejected }) => ({
      name: resource.name,
      type: resource.type,
      version: resource.version,
      condition,
      reason,
      sinceMs,
      ...(rejected === undefined ? {} : { rejected }),
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
      own.next = instance;
    }
    return (condition, reason = "") => {
      if (own === undefined || (own.instance !== instance && own.next !== instance)) {
        return;
      }
      if (instance.condition === condition) {
        return;
      }
      instance.condition = condition;
      instance.reason = condition === "ready" ? "" : reason;
      if (own.instance === instance && (own.condition === "ready" || own.condition === "degraded")) {
        this.#change(own, condition, instance.reason);
      }
    };
  }

  /** The instance is in use, in place of an earlier one if there was one: from now on it is what it says it is. */
  started(resource: ComponentResource): void {
    const entry = this.#entries.get(resource.name);
    if (entry !== undefined) {
      entry.resource = resource;
      entry.instance = entry.next;
      entry.next = undefined;
      entry.rejected = undefined;
      this.#change(entry, entry.instance?.condition ?? "ready", entry.instance?.reason ?? "");
    }
  }

  /** What is in use stays as it is; a change of it is not taken over, since when it was not first. */
  rejected(name: string, reason: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) {
      entry.next = undefined;
      entry.rejected = { reason, sinceMs: entry.rejected?.sinceMs ?? this.#clock.now() };
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
      entry.next = undefined;
      this.#entries.delete(name);
    }
  }

  #set(resource: ComponentResource, condition: Condition, reason: string): void {
    const entry = this.#entries.get(resource.name);
    if (entry !== undefined) {
      entry.instance = undefined;
      entry.next = undefined;
    }
    if (entry?.resource === resource) {
      this.#change(entry, condition, reason);
      return;
    }
    this.#entries.set(resource.name, {
      resource,
      condition,
      reason,
      sinceMs: this.#clock.now(),
      instance: undefined,
      next: undefined,
      rejected: undefined,
    });
  }

  #change(entry: Entry, condition: Condition, reason: string): void {
    if (entry.condition !== condition) {
      entry.sinceMs = this.#clock.now();
    }
    entry.condition = condition;
    entry.reason = reason;
  }
}
