import type { Resource } from "../../resources/resource.ts";
import type { LoadedResources } from "../../resources/types.ts";

/**
 * A document that cannot be read is somebody's work in progress: what was read from its file last still counts, unless the
 * file or another one says otherwise. Dapr takes it for removed.
 */
export function keepBroken(before: LoadedResources, read: LoadedResources): LoadedResources {
  if (read.problems.length === 0) {
    return read;
  }
  const broken = new Set(read.problems.map(({ file }) => file));
  const kept = <R extends Resource>(old: readonly R[], current: readonly R[]): readonly R[] => {
    const names = new Set(current.map(({ name }) => name));
    return [...current, ...old.filter(({ name, origin }) => broken.has(origin.file) && !names.has(name))];
  };
  return {
    components: kept(before.components, read.components),
    subscriptions: kept(before.subscriptions, read.subscriptions),
    httpEndpoints: kept(before.httpEndpoints, read.httpEndpoints),
    resiliencies: kept(before.resiliencies, read.resiliencies),
    configurations: kept(before.configurations, read.configurations),
    problems: read.problems,
  };
}
