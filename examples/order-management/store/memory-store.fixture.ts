import { type Change, EtagConflictError, type Versioned, type VersionedStore } from "./versioned-store.ts";

/** A store in memory. */
export class MemoryStore implements VersionedStore {
  readonly records = new Map<string, Versioned>();
  #version = 0;

  async read(keys: readonly string[]): Promise<Map<string, Versioned>> {
    const found = keys.flatMap((key) => (this.records.has(key) ? [[key, this.records.get(key)!] as const] : []));
    return await Promise.resolve(new Map(found));
  }

  async write(changes: readonly Change[]): Promise<void> {
    await Promise.resolve();
    for (const { key, etag } of changes) {
      if (this.records.get(key)?.etag !== etag) throw new EtagConflictError(key);
    }
    for (const { key, value } of changes) {
      if (value === undefined) this.records.delete(key);
      else
        this.records.set(key, { value: JSON.parse(JSON.stringify(value)) as unknown, etag: String(++this.#version) });
    }
  }

  /** The value of a record, or undefined. */
  value(key: string): unknown {
    return this.records.get(key)?.value;
  }
}
