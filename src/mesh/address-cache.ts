import type { NameResolver } from "../components/spi/name-resolution.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { Clock } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";
import { ADDRESSES_TTL_MS, PEERS_MAX } from "./limits.ts";
import type { InvocationTarget } from "./target.ts";

interface Known {
  readonly addresses: readonly string[];
  readonly expiresMs: number;
}

/** The addresses of apps whose resolver gives several, one of them at random each time. Other resolvers have their own cache. */
export class AddressCache {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @returns an address, empty when the resolver knows none */
  resolve(
    resolver: NameResolver,
    target: InvocationTarget,
    signal: CancelSignal | undefined,
  ): string | Promise<string> {
    if (resolver.resolveAll === undefined) {
      return resolver.resolve(target, signal);
    }
    const known = this.#known.get(keyOf(target));
    if (known !== undefined && known.expiresMs > this.#clock.monotonicMs()) {
      return this.#pick(known.addresses);
    }
    return this.#ask(resolver.resolveAll(target, signal), target);
  }

  /** One of the addresses did not answer, so that all of them are asked for again. */
  forget(target: InvocationTarget): void {
    this.#known.delete(keyOf(target));
  }

  async #ask(asked: Promise<readonly string[]>, target: InvocationTarget): Promise<string> {
    const addresses = await asked;
    if (addresses.length > 0) {
      const key = keyOf(target);
      this.#known.delete(key);
      const oldest = this.#known.size >= PEERS_MAX ? this.#known.keys().next().value : undefined;
      if (oldest !== undefined) {
        this.#known.delete(oldest);
      }
      this.#known.set(key, { addresses, expiresMs: this.#clock.monotonicMs() + ADDRESSES_TTL_MS });
    }
    return this.#pick(addresses);
  }

  #pick(addresses: readonly string[]): string {
    return addresses.length === 1
      ? (addresses[0] as string)
      : (addresses[Math.floor(this.#random.next() * addresses.length)] ?? "");
  }
}

function keyOf({ appId, namespace }: InvocationTarget): string {
  return `${namespace}/${appId}`;
}
