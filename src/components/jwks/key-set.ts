import type { Key } from "../../kit/crypto/key.ts";

/** The keys of a JWK set at the moment. */
export interface KeySet {
  /** The first key with this `kid`. @throws nothing: a set that cannot be refreshed stays as it was */
  find(kid: string): Promise<Key | undefined>;
  close(): Promise<void>;
}

/** A set that never changes. */
export function fixedKeySet(keys: readonly Key[]): KeySet {
  return { find: async (kid) => keyNamed(keys, kid), close: async () => undefined };
}

export function keyNamed(keys: readonly Key[], kid: string): Key | undefined {
  return keys.find(({ members }) => (members["kid"] ?? "") === kid);
}
