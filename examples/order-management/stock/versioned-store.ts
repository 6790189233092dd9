import { type DaprClient, StateConcurrencyEnum, StateConsistencyEnum } from "@dapr/dapr";
import { bulkItems, type Versioned } from "../model/bulk-items.ts";

const FIRST_WRITE = {
  concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
  consistency: StateConsistencyEnum.CONSISTENCY_STRONG,
};

/** gRPC's `ABORTED`, which a save with a stale ETag answers. */
const GRPC_ABORTED = 10;

/** A transaction with a stale ETag answers `INTERNAL` like any other failure: only the text tells them apart. */
const ETAG_MISMATCH_TEXT = "possible etag mismatch";

export interface Change {
  readonly key: string;
  readonly value: object;
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
  /** Writes records whatever is there. */
  overwrite(records: readonly Pick<Change, "key" | "value">[]): Promise<void>;
}

/** A Dapr state store; one change is a save, several are a transaction. */
export class DaprVersionedStore implements VersionedStore {
  readonly #client: DaprClient;
  readonly #name: string;

  constructor(client: DaprClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  async read(keys: readonly string[]): Promise<Map<string, Versioned>> {
    return bulkItems(await this.#client.state.getBulk(this.#name, [...keys]));
  }

  async write(changes: readonly Change[]): Promise<void> {
    const [first, ...others] = changes;
    if (first === undefined) return;
    try {
      if (others.length === 0) await this.#save(first);
      else await this.#transact(changes);
    } catch (error) {
      if (isEtagMismatch(error)) throw new EtagConflictError(`${this.#name}: a record has changed`, { cause: error });
      throw error;
    }
  }

  async overwrite(records: readonly Pick<Change, "key" | "value">[]): Promise<void> {
    const { error } = await this.#client.state.save(this.#name, [...records]);
    if (error !== undefined) throw error;
  }

  async #save({ key, value, etag }: Change): Promise<void> {
    const item = { key, value, options: FIRST_WRITE, ...(etag === undefined ? {} : { etag }) };
    const { error } = await this.#client.state.save(this.#name, [item]);
    if (error !== undefined) throw error;
  }

  async #transact(changes: readonly Change[]): Promise<void> {
    const operations = changes.map(({ key, value, etag }) => ({
      operation: "upsert",
      request: {
        key,
        value: JSON.stringify(value),
        options: FIRST_WRITE,
        ...(etag === undefined ? {} : { etag: transactionEtag(etag) }),
      },
    }));
    await this.#client.state.transaction(this.#name, operations);
  }
}

/** The SDK's type asks for `{ value }`, but its gRPC client sends what `toString` gives. */
function transactionEtag(etag: string): { value: string } {
  return Object.assign({ value: etag }, { toString: () => etag });
}

function isEtagMismatch(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === GRPC_ABORTED) || error.message.includes(ETAG_MISMATCH_TEXT);
}
