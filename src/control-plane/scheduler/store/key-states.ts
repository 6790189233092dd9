/** A key without its value. */
export interface KeyState {
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** Of key and value. */
  readonly bytes: number;
}

/** Keys whose state is remembered; each takes about 200 bytes. */
export const KEY_STATES_MAX = 16_384;

/**
 * How keys are on the disk, as far as that was seen lately: a job that has just been read or written need not be looked up
 * again for what becomes of its trigger. The least recently noted are forgotten.
 */
export class KeyStates {
  readonly #states = new Map<string, KeyState | undefined>();

  /** Whether the key is known; `get` says how it is, undefined where it is not there. */
  has(key: string): boolean {
    return this.#states.has(key);
  }

  get(key: string): KeyState | undefined {
    return this.#states.get(key);
  }

  note(key: string, state: KeyState | undefined): void {
    this.#states.delete(key);
    this.#states.set(key, state);
    if (this.#states.size > KEY_STATES_MAX) {
      for (const oldest of this.#states.keys()) {
        this.#states.delete(oldest);
        break;
      }
    }
  }

  forget(key: string): void {
    this.#states.delete(key);
  }
}
