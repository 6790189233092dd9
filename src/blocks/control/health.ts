/** One part of the runtime whose readiness counts, by the name Dapr's health answer gives it. */
export interface HealthTarget {
  ready(): void;
  notReady(): void;
}

/** Ready when every target is. */
export interface Health {
  addTarget(name: string): HealthTarget;
  readonly isReady: boolean;
  /** Names of the targets that are not ready, sorted. */
  unhealthyTargets(): readonly string[];
}

export function createHealth(): Health {
  const targets = new Map<string, boolean>();
  return {
    addTarget(name) {
      if (targets.has(name)) {
        throw new Error(`health target ${name} exists already`);
      }
      targets.set(name, false);
      return {
        ready: () => void targets.set(name, true),
        notReady: () => void targets.set(name, false),
      };
    },
    get isReady() {
      return targets.size > 0 && [...targets.values()].every(Boolean);
    },
    unhealthyTargets: () =>
      [...targets]
        .filter(([, ready]) => !ready)
        .map(([name]) => name)
        .toSorted(),
  };
}
