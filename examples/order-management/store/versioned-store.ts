/** A record of a state store; a record that does not exist has none of both. */
export interface Versioned {
  readonly value: unknown;
  readonly etag: string;
}

/** One record of a write. */
export interface Change {
  readonly key: string;
  /** Undefined: the record is deleted, which takes an ETag. */
  readonly value: object | undefined;
  /** The ETag that was read; undefined when the record must not exist yet. */
  readonly etag: string | undefined;
}

/** Thrown by `write` when a record is no longer as it was read; nothing has been written then. */
export class EtagConflictError extends Error {
  override readonly name = "EtagConflictError";
}

/** A store in which a write says on which version of each record it stands. */
export interface VersionedStore {
  /** Reads the records that exist, with one request. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, Versioned>>;
  /**
   * Writes all changes or none.
   * @throws EtagConflictError
   */
  write(changes: readonly Change[]): Promise<void>;
}
