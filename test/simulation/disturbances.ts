import type { World } from "./world.ts";

/** Which machines, and ways between two, are not as they should be, and since when they have been well again. */
export class Disturbances {
  readonly #world: World;
  readonly #active = new Map<string, number>();
  readonly #endedMs = new Map<string, number>();
  readonly #beganMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  begin(what: string): void {
    this.#active.set(what, (this.#active.get(what) ?? 0) + 1);
    this.#beganMs.set(what, this.#world.nowMs);
  }

  end(what: string): void {
    const left = (this.#active.get(what) ?? 1) - 1;
    if (left === 0) {
      this.#active.delete(what);
    } else {
      this.#active.set(what, left);
    }
    this.#endedMs.set(what, this.#world.nowMs);
  }

  /** Whether it was well all the time from then to now. */
  isWellSince(what: string, sinceMs: number): boolean {
    return (
      !this.#active.has(what) &&
      (this.#endedMs.get(what) ?? -Infinity) < sinceMs &&
      (this.#beganMs.get(what) ?? -Infinity) < sinceMs
    );
  }
}

/** A way between two machines, in both directions. */
export function way(one: string, other: string): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}
