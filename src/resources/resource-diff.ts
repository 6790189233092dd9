import { isDeepStrictEqual } from "node:util";
import type { NameValuePair, Resource } from "./resource.ts";

/** What has changed between two readings of one kind, in the order of the later reading (removals: of the earlier). */
export interface ResourceDiff<R extends Resource> {
  readonly deleted: readonly R[];
  readonly updated: readonly R[];
  readonly created: readonly R[];
}

/** Compares by name; where a name occurs twice in a reading, the later one counts. */
export function diffResources<R extends Resource>(before: readonly R[], after: readonly R[]): ResourceDiff<R> {
  const old = byName(before);
  const current = byName(after);
  const updated: R[] = [];
  const created: R[] = [];
  for (const resource of current.values()) {
    const known = old.get(resource.name);
    if (known === undefined) {
      created.push(resource);
    } else if (!isSameResource(known, resource)) {
      updated.push(resource);
    }
  }
  return { deleted: [...old.values()].filter(({ name }) => !current.has(name)), updated, created };
}

/**
 * Whether two resources of a kind mean the same: where they are written, whom else they are for and the order of their
 * metadata do not matter.
 */
export function isSameResource<R extends Resource>(one: R, other: R): boolean {
  return isDeepStrictEqual(meaningOf(one), meaningOf(other));
}

function byName<R extends Resource>(resources: readonly R[]): ReadonlyMap<string, R> {
  return new Map(resources.map((resource) => [resource.name, resource]));
}

function meaningOf(resource: Resource & { readonly metadata?: unknown }): unknown {
  const { metadata } = resource;
  return {
    ...resource,
    origin: undefined,
    scopes: undefined,
    metadata: Array.isArray(metadata) ? inOrder(metadata as readonly NameValuePair[]) : metadata,
  };
}

/** Sorting is stable: of pairs with one name the last still counts. */
function inOrder(pairs: readonly NameValuePair[]): readonly NameValuePair[] {
  return pairs.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
