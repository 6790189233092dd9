/** Bugs that can be planted, each in what the production code is given: nothing in `src/` knows of them. */
export const PLANTS = [
  /** The state store does not look at fences. */
  "no fence",
  /** Nobody says that an app is older than its sidecar. */
  "app taken for new",
  /** The placement service's clock runs ahead: it gives actors away before their host's lease is over. */
  "early lease",
  /** A host acknowledges a table without having looked at it. */
  "lost table",
  /** The scheduler forgets a trigger whose stream was lost. */
  "swallowed trigger",
  /** The scheduler's queue goes by a clock that is ahead. */
  "early trigger",
  /** A crash loses commits that had been acknowledged. */
  "lost commit",
  /** Two members of the placement service count votes as if each were alone. */
  "two leaders",
] as const;

export type Plant = (typeof PLANTS)[number];
