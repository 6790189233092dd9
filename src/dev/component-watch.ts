import { COMPONENT_MANIFESTS } from "../sidecar/families.ts";
import type { ComponentCondition } from "../inventory/types.ts";
import type { Clock, Timer } from "../kit/clock.ts";
import { suggest } from "../kit/distance.ts";
import { errorMessage } from "../kit/error-message.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { loadResources } from "../resources/sources/files.ts";
import type { Origin } from "../resources/resource.ts";
import type { UnitSidecar } from "./app-unit-types.ts";
import { type FileProblem, ProblemTeller } from "./problem-teller.ts";
import { SubscriptionTeller } from "./subscription-teller.ts";
import type { AppPlan, LineConsole } from "./types.ts";

/** Milliseconds between two looks at a sidecar. */
const LOOK_INTERVAL_MS = 2_000;

export interface ComponentWatchOptions {
  readonly clock: Clock;
  readonly console: LineConsole;
  /** The namespace of the sidecars; empty: none. */
  readonly namespace: string;
}

interface Followed {
  readonly sidecar: UnitSidecar;
  timer: Timer | undefined;
}

/** The line of a component may change without anything new to tell. */
interface Told {
  readonly type: string;
  readonly condition: "rejected" | ComponentCondition["condition"];
  readonly reason: string;
  readonly appIds: Set<string>;
}

/**
 * Says which resources cannot be read or taken over, which components do not come up or have lost what they need, and
 * which subscriptions are not live: once for each, components however many sidecars share them, and once more when it is
 * well after all.
 */
export class ComponentWatch {
  readonly #options: ComponentWatchOptions;
  readonly #subscriptions: SubscriptionTeller;
  readonly #problems: ProblemTeller;
  readonly #followed = new Map<string, Followed>();
  /** What is wrong with a component, by its file and name, and for whose sidecars. */
  readonly #told = new Map<string, Told>();

  constructor(options: ComponentWatchOptions) {
    this.#options = options;
    this.#subscriptions = new SubscriptionTeller(options.console);
    this.#problems = new ProblemTeller(options.console);
  }

  /**
   * Looks at an app's sidecar that has just come up, in place of an earlier one, or has just taken over changes, for as
   * long as it is there.
   * @param problems what it could not take over
   */
  async follow(plan: AppPlan, sidecar: UnitSidecar, problems: readonly string[] = []): Promise<void> {
    const { appId } = plan;
    if (this.#followed.get(appId)?.sidecar === sidecar) {
      this.#unfollow(appId);
    } else {
      this.leave(appId);
    }
    const followed: Followed = { sidecar, timer: undefined };
    this.#followed.set(appId, followed);
    const places = await this.#placesOf(plan, problems);
    const look = async (): Promise<void> => {
      await this.#lookAt(appId, followed, places);
      if (this.#followed.get(appId) === followed) {
        followed.timer = this.#options.clock.after(LOOK_INTERVAL_MS, () => void look());
      }
    };
    await look();
  }

  /** The app's sidecar is gone: what it could not load says nothing any more. */
  leave(appId: string): void {
    this.#unfollow(appId);
    for (const { appIds } of this.#told.values()) {
      appIds.delete(appId);
    }
  }

  close(): void {
    for (const { timer } of this.#followed.values()) {
      timer?.cancel();
    }
    this.#followed.clear();
  }

  #unfollow(appId: string): void {
    this.#followed.get(appId)?.timer?.cancel();
    this.#followed.delete(appId);
  }

  /** Where each component is written, by its name; what cannot be read or taken over is told on the way. */
  async #placesOf(plan: AppPlan, refused: readonly string[]): Promise<ReadonlyMap<string, Origin>> {
    const { namespace } = this.#options;
    const wrong: FileProblem[] = [];
    const places = new Map<string, Origin>();
    try {
      const read = await loadResources({
        paths: plan.resourcesPaths,
        namespace,
        appId: plan.appId,
        logger: silentLogger,
      });
      for (const { name, origin } of read.components) {
        places.set(name, origin);
      }
      for (const { file, message } of read.problems) {
        wrong.push({ file, message, advice: LEFT_OUT });
      }
    } catch (error) {
      wrong.push({ file: undefined, message: errorMessage(error), advice: AS_BEFORE });
    }
    for (const message of refused) {
      if (!wrong.some((one) => one.message === message)) {
        wrong.push({ file: undefined, message, advice: AS_BEFORE });
      }
    }
    this.#problems.look(plan.appId, wrong);
    return places;
  }

  /** A sidecar that does not answer is about to end. */
  async #lookAt(appId: string, followed: Followed, places: ReadonlyMap<string, Origin>): Promise<void> {
    const [components, subscriptions] = await Promise.all([
      followed.sidecar.conditions().catch(() => undefined),
      followed.sidecar.subscriptions().catch(() => undefined),
    ]);
    if (components !== undefined && subscriptions !== undefined && this.#followed.get(appId) === followed) {
      this.#look(appId, components, places);
      this.#subscriptions.look(appId, subscriptions);
    }
  }

  #look(appId: string, conditions: readonly ComponentCondition[], places: ReadonlyMap<string, Origin>): void {
    const seen = new Set<string>();
    for (const component of conditions) {
      const origin = places.get(component.name);
      if (origin === undefined) {
        // Its file has changed since the sidecar read it, which is about to hear of that.
        continue;
      }
      const key = `${origin.file} ${component.name}`;
      seen.add(key);
      if (isDown(component) || component.rejected !== undefined) {
        this.#tell(appId, key, component, `${origin.file}:${origin.line}`);
      } else {
        this.#well(appId, key, component);
      }
    }
    for (const [key, { appIds }] of this.#told) {
      if (!seen.has(key) && appIds.delete(appId) && appIds.size === 0) {
        this.#told.delete(key);
      }
    }
  }

  #tell(appId: string, key: string, component: ComponentCondition, place: string): void {
    const { type, rejected } = component;
    const isRejected = !isDown(component);
    const condition = isRejected ? "rejected" : component.condition;
    const reason = isRejected ? (rejected?.reason ?? "") : component.reason;
    const known = this.#told.get(key);
    if (known?.type === type && known.condition === condition && known.reason === reason) {
      known.appIds.add(appId);
      return;
    }
    this.#told.set(key, { type, condition, reason, appIds: new Set([...(known?.appIds ?? []), appId]) });
    const text = isRejected ? rejectedText(component, place, reason) : downText(component, place);
    this.#options.console.say("error", undefined, text);
  }

  /** Told when it was down, or was refused, and this is the last app to find it well. */
  #well(appId: string, key: string, { name, type }: ComponentCondition): void {
    const known = this.#told.get(key);
    known?.appIds.delete(appId);
    if (known?.appIds.size === 0) {
      this.#told.delete(key);
      const text = known.condition === "rejected" ? "is taken over now" : "works now";
      this.#options.console.say("success", undefined, `component ${name} (${type}) ${text}`);
    }
  }
}

function isDown({ condition }: ComponentCondition): boolean {
  return condition === "failed" || condition === "waiting" || condition === "degraded";
}

const LEFT_OUT =
  "This document is left out, and what sidecars have read from its file before stays in use: correct it and save the file.";
const AS_BEFORE = "What was in use before stays in use: correct that and save the file.";

function rejectedText({ name, type }: ComponentCondition, place: string, reason: string): string {
  return (
    `component ${name} (${type}) at ${place} is not taken over: ${reason}\n` +
    "The one before goes on. Fix: correct it there and save the file, or make available what it needs: it is tried again."
  );
}

function downText({ name, type, condition, reason }: ComponentCondition, place: string): string {
  if (condition === "degraded") {
    return `component ${name} (${type}) at ${place} has lost what it needs: ${reason}\nIt works again as soon as that is back; calls of it fail until then.`;
  }
  const types = COMPONENT_MANIFESTS.flatMap((manifest) => [manifest.type, ...(manifest.aliases ?? [])]);
  const isKnown = types.includes(type.toLowerCase());
  const near = isKnown ? undefined : suggest(type, types);
  const why = condition === "waiting" ? `it waits ${reason}, which is not loaded` : reason;
  const fix = isKnown
    ? "correct it there and save the file, or make available what it needs: it is tried again"
    : `${near === undefined ? "correct the type there" : `did you mean ${near}? Correct it there`} and save the file`;
  return `component ${name} (${type}) at ${place} does not work: ${why}\nFix: ${fix}. Everything else runs without it.`;
}
