import { type Clock, sleep } from "../../kit/clock.ts";
import type { Resource } from "../../resources/resource.ts";
import type { LoadedResources } from "../../resources/types.ts";
import type { ResourceSource } from "./resource-source.ts";

/** How long something must be missing before it counts as removed, in milliseconds. */
export const MISSING_MS = 100;

/**
 * Reads a source of which somebody may be writing a part: a file is empty for a moment while it is saved. What was there
 * before and is missing now is looked for once more, and is gone only when it is missing then too.
 */
export async function readSettled(
  source: Pick<ResourceSource, "read">,
  before: LoadedResources,
  clock: Clock,
): Promise<LoadedResources> {
  const first = await source.read();
  if (!lacks(before.components, first.components) && KINDS.every((kind) => !lacks(before[kind], first[kind]))) {
    return first;
  }
  await sleep(clock, MISSING_MS);
  const second = await source.read();
  return {
    components: united(first.components, second.components),
    subscriptions: united(first.subscriptions, second.subscriptions),
    httpEndpoints: united(first.httpEndpoints, second.httpEndpoints),
    resiliencies: united(first.resiliencies, second.resiliencies),
    configurations: united(first.configurations, second.configurations),
    problems: second.problems,
  };
}

const KINDS = ["components", "subscriptions", "httpEndpoints", "resiliencies", "configurations"] as const;

function lacks(before: readonly Resource[], now: readonly Resource[]): boolean {
  const names = new Set(now.map(({ name }) => name));
  return before.some(({ name }) => !names.has(name));
}

/** The second reading, with what only the first one has: what went in between is looked at in the next round. */
function united<R extends Resource>(first: readonly R[], second: readonly R[]): readonly R[] {
  const names = new Set(second.map(({ name }) => name));
  return [...second, ...first.filter(({ name }) => !names.has(name))];
}
