import { compareCodePoints } from "../../kit/code-point-order.ts";
import type { ListedKeys, ListKeysRequest } from "./state.ts";

const SEPARATOR = "||";

/**
 * The first keys of a listing, for stores that have no order of their own: every key of the store is offered in any
 * order, any number of times, and only about twice a page is held.
 */
export class KeyPage {
  readonly #request: ListKeysRequest;
  readonly #start: string;
  readonly #heldMax: number;
  #held: Set<string> = new Set();
  /** The last key that can still be of the page; undefined until there are enough. */
  #last: string | undefined;

  constructor(request: ListKeysRequest) {
    this.#request = request;
    this.#start = request.scope + request.prefix;
    this.#heldMax = 2 * (request.limit + 1);
  }

  offer(key: string): void {
    const { after } = this.#request;
    if (
      !isListed(this.#request, this.#start, key) ||
      (after !== undefined && compareCodePoints(key, after) <= 0) ||
      (this.#last !== undefined && compareCodePoints(key, this.#last) > 0)
    ) {
      return;
    }
    this.#held.add(key);
    if (this.#held.size > this.#heldMax) {
      this.#cut();
    }
  }

  result(): ListedKeys {
    const { limit } = this.#request;
    const keys = this.#cut();
    return { keys: keys.slice(0, limit), more: keys.length > limit };
  }

  /** Keeps one key more than the page has, which tells that there is more. */
  #cut(): string[] {
    const keys = [...this.#held].sort(compareCodePoints).slice(0, this.#request.limit + 1);
    this.#held = new Set(keys);
    this.#last = keys.length > this.#request.limit ? keys.at(-1) : undefined;
    return keys;
  }
}

/** Whether a listing shows the key, whatever its page. `start` is the listing's scope and prefix in one. */
export function isListed({ scope }: ListKeysRequest, start: string, key: string): boolean {
  return key.startsWith(start) && !key.includes(SEPARATOR, scope.length);
}
