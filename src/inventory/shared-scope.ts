import type { SharedScope } from "../components/spi/component.ts";

/** Values that sidecars of one owner share; a sidecar that shares with nobody gets a scope of its own. */
export function createSharedScope(): SharedScope {
  const values = new Map<string, unknown>();
  return {
    acquire<T>(key: string, create: () => T): T {
      if (!values.has(key)) {
        values.set(key, create());
      }
      return values.get(key) as T;
    },
  };
}
