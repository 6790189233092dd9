import type { Random } from "../../src/kit/random.ts";
import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";

/** Randomness of a seed: the same seed and name, the same numbers. */
export class SeededRandom implements Random {
  /** A number in [0, 1). */
  readonly next: () => number;

  /** @param name of what draws the numbers, so that one who draws more of them does not change what the others get */
  constructor(seed: number, name: string) {
    let named = seed >>> 0;
    for (const char of name) {
      named = (Math.imul(named ^ (char.codePointAt(0) ?? 0), 0x01000193) + 0x9e3779b9) >>> 0;
    }
    this.next = seededRandom(named);
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  chance(odds: number): boolean {
    return this.next() < odds;
  }

  /** @throws RangeError for an empty list */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) {
      throw new RangeError("nothing to pick from");
    }
    return list[Math.floor(this.next() * list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.next() * 256));
  }

  uuid(): string {
    const hex = Buffer.from(this.bytes(16)).toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
