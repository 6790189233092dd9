import type { Clock } from "../../kit/clock.ts";
import type { ConversationResponse } from "../spi/conversation.ts";

/** What a cache holds at most: answers, and characters of requests and answers together. The oldest go first. */
const ENTRIES_MAX = 1000;
const CHARACTERS_MAX = 32 * 1024 * 1024;

interface Entry {
  readonly response: ConversationResponse;
  readonly expiresMs: number;
  readonly characters: number;
}

/** Answers by the request they were given to, for a while. */
export class ResponseCache {
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /** In the order in which they were put in, which is the order in which they expire. */
  readonly #entries = new Map<string, Entry>();
  #characters = 0;

  constructor(ttlMs: number, clock: Clock) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  get(request: string): ConversationResponse | undefined {
    const entry = this.#entries.get(request);
    return entry === undefined || entry.expiresMs <= this.#clock.monotonicMs() ? undefined : entry.response;
  }

  put(request: string, response: ConversationResponse, responseCharacters: number): void {
    this.#remove(request);
    const characters = request.length + responseCharacters;
    this.#entries.set(request, { response, expiresMs: this.#clock.monotonicMs() + this.#ttlMs, characters });
    this.#characters += characters;
    for (const [oldest, { expiresMs }] of this.#entries) {
      const full = this.#entries.size > ENTRIES_MAX || this.#characters > CHARACTERS_MAX;
      if (!full && expiresMs > this.#clock.monotonicMs()) {
        break;
      }
      this.#remove(oldest);
    }
  }

  #remove(request: string): void {
    this.#characters -= this.#entries.get(request)?.characters ?? 0;
    this.#entries.delete(request);
  }
}
