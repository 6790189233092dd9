import { crypto } from "./lazy-builtins.ts";

/** Randomness as a port: seeded in simulations, the system's in production. */
export interface Random {
  /** A random UUID (RFC 9562 version 4) in lower case. */
  uuid(): string;
  bytes(length: number): Uint8Array;
  /** A number in [0, 1). */
  next(): number;
}

/** Cryptographically strong randomness from the system. */
export const systemRandom: Random = {
  uuid: () => crypto().randomUUID(),
  bytes: (length) => crypto().randomBytes(length),
  next: () => Math.random(),
};

/**
 * A UUID (RFC 9562 version 4) for what only has to be unlike others of its kind. It may be guessed; making it loads no
 * cryptography, which a start would wait for.
 */
export function guessableUuid(random: Pick<Random, "next">): string {
  const hex = (digits: number): string =>
    Math.trunc(random.next() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  const variant = "89ab"[Math.trunc(random.next() * 4)];
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(12)}`;
}
