import { randomBytes, randomUUID } from "node:crypto";

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
  uuid: () => randomUUID(),
  bytes: (length) => randomBytes(length),
  next: () => Math.random(),
};
