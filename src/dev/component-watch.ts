import { COMPONENT_MANIFESTS } from "../sidecar/families.ts";
import type { ComponentCondition } from "../inventory/types.ts";
import type { Clock, Timer } from "../kit/clock.ts";
import { suggest } from "../kit/distance.ts";
import { errorMessage } from "../kit/error-message.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { loadResources } from "../resources/sources/files.ts";
import type { UnitSidecar } from "./app-unit-types.ts";
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

/**
 * Says which resources cannot be read, which components do not come up or have lost what they need, and which
 * subscriptions are not live: once for each, components however many sidecars share them, and once more when it is well
 * after all.
 */
export class ComponentWatch {
  readonly #options: ComponentWatchOptions;
  readonly #subscriptions: SubscriptionTeller;
  readonly #followed = new Map<string, Followed>();
  /** What is wrong with a component or a document, by its place, and for whose sidecars. */
  readonly #told = new Map<string, { readonly text: string; readonly appIds: Set<string> }>();

  constructor(options: ComponentWatchOptions) {
    this.#options = options;
    this.#subscriptions = new SubscriptionTeller(options.console);
  }

  /** Looks at an app's sidecar that has just come up, in place of an earlier one, for as long as it is there. */
  async follow(plan: AppPlan, sidecar: UnitSidecar): Promise<void> {
    const { appId } = plan;
    this.leave(appId);
    const followed: Followed = { sidecar, timer: undefined };
    this.#followed.set(appId, followed);
    const places = await this.#placesOf(plan);
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

  /** Where each component is written, by its name; what cannot be read at all is told on the way. */
  async #placesOf(plan: AppPlan): Promise<ReadonlyMap<string, string>> {
    const { namespace } = this.#options;
    try {
      const { components, problems } = await loadResources({
        paths: plan.resourcesPaths,
        namespace,
        appId: plan.appId,
        logger: silentLogger,
      });
      for (const problem of problems) {
        this.#tell(
          plan.appId,
          `${problem.file}:${problem.line}`,
          `${problem.message}\nThis document is left out; correct it and save the file: the sidecars that read it start again.`,
        );
      }
      return new Map(components.map(({ name, origin }) => [name, `${origin.file}:${origin.line}`]));
    } catch (error) {
      this.#tell(plan.appId, errorMessage(error), errorMessage(error));
      return new Map();
    }
  }

  /** A sidecar that does not answer is about to end. */
  async #lookAt(appId: string, followed: Followed, places: ReadonlyMap<string, string>): Promise<void> {
    const [components, subscriptions] = await Promise.all([
      followed.sidecar.conditions().catch(() => undefined),
      followed.sidecar.subscriptions().catch(() => undefined),
    ]);
    if (components !== undefined && subscriptions !== undefined && this.#followed.get(appId) === followed) {
      this.#look(appId, components, places);
      this.#subscriptions.look(appId, subscriptions);
    }
  }

  #look(appId: string, conditions: readonly ComponentCondition[], places: ReadonlyMap<string, string>): void {
    for (const component of conditions) {
      const place = places.get(component.name);
      if (place === undefined) {
        // Its file has changed since the sidecar read it, which is about to start again.
        continue;
      }
      if (isDown(component)) {
        this.#tell(appId, place, downText(component, place));
      } else if (this.#isUpForAll(appId, place)) {
        this.#options.console.say("success", undefined, `component ${component.name} (${component.type}) works now`);
      }
    }
  }

  #tell(appId: string, place: string, text: string): void {
    const known = this.#told.get(place);
    if (known?.text === text) {
      known.appIds.add(appId);
      return;
    }
    this.#told.set(place, { text, appIds: new Set([...(known?.appIds ?? []), appId]) });
    this.#options.console.say("error", undefined, text);
  }

  /** Whether it was down and this was the last app to find it up. */
  #isUpForAll(appId: string, place: string): boolean {
    const known = this.#told.get(place);
    known?.appIds.delete(appId);
    return known?.appIds.size === 0 && this.#told.delete(place);
  }
}

function isDown({ condition }: ComponentCondition): boolean {
  return condition === "failed" || condition === "waiting" || condition === "degraded";
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
