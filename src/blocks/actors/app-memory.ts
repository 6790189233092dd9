import { TOLD_ACTORS_MAX, UNTOLD_ACTORS_MAX } from "./limits.ts";

export interface AppMemoryOptions {
  /** The app may have had actors before this sidecar process began. */
  readonly isOlder: boolean;
  /** `TOLD_ACTORS_MAX` and `UNTOLD_ACTORS_MAX` where they are not given. */
  readonly toldMax?: number;
  readonly untoldMax?: number;
}

/**
 * Which actors an app may remember from an activation whose end nobody has told it: all that it was not told of by this
 * sidecar, where the app may be older, otherwise those only that could not be told. What cannot be kept in mind counts as
 * may be remembered, which costs one request more, and nothing else.
 */
export class AppMemory {
  readonly #toldMax: number;
  readonly #untoldMax: number;
  #isOlder: boolean;
  /** Those of an older app that it was told of; the longest ago first. */
  readonly #told = new Set<string>();
  /** Those of any other app that it was not told of. */
  readonly #untold = new Set<string>();

  constructor({ isOlder, toldMax = TOLD_ACTORS_MAX, untoldMax = UNTOLD_ACTORS_MAX }: AppMemoryOptions) {
    this.#isOlder = isOlder;
    this.#toldMax = toldMax;
    this.#untoldMax = untoldMax;
  }

  /** Of an actor that is not active. */
  mayHold(key: string): boolean {
    return this.#isOlder ? !this.#told.has(key) : this.#untold.has(key);
  }

  /** The app has answered the actor's deactivation. */
  forgot(key: string): void {
    if (!this.#isOlder) {
      this.#untold.delete(key);
      return;
    }
    this.#told.delete(key);
    this.#told.add(key);
    if (this.#told.size > this.#toldMax) {
      const [longestAgo] = this.#told;
      this.#told.delete(longestAgo as string);
    }
  }

  /** The actor's deactivation has not reached the app. */
  missed(key: string): void {
    if (this.#isOlder) {
      this.#told.delete(key);
      return;
    }
    this.#untold.add(key);
    if (this.#untold.size > this.#untoldMax) {
      this.#isOlder = true;
      this.#untold.clear();
    }
  }
}
