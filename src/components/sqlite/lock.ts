import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Engine, Schema } from "../../storage/engine.ts";
import { openEngine } from "../../storage/open-engine.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { LockStore, TryLockRequest, UnlockRequest, UnlockStatus } from "../spi/lock.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { databaseOf } from "./connection-string.ts";
import { storing } from "./engine-calls.ts";
import { LOCK_FIELDS } from "./lock-manifest.ts";

/** Milliseconds between two removals of locks that have expired and that nobody has taken again. */
export const LOCK_SWEEP_MS = 60_000;
/** Locks that one write removes. */
const SWEPT_LOCKS_MAX = 1_000;

const SCHEMA: Schema = {
  metadataTable: "lock_metadata",
  key: "migrations",
  migrations: [
    `CREATE TABLE locks (
      resource TEXT NOT NULL PRIMARY KEY,
      owner TEXT NOT NULL,
      expires_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX locks_expiry ON locks (expires_ms);`,
  ],
};

const STATEMENTS = {
  /** resource, owner, expires, now: compares and sets in one step, so that of all who try one wins. */
  lock: `INSERT INTO locks (resource, owner, expires_ms) VALUES (?1, ?2, ?3)
    ON CONFLICT (resource) DO UPDATE SET owner = excluded.owner, expires_ms = excluded.expires_ms
    WHERE locks.expires_ms <= ?4`,
  /** resource, now → owner */
  holder: "SELECT owner FROM locks WHERE resource = ?1 AND expires_ms > ?2",
  /** resource, owner, now: only a lock that still stands. */
  unlock: "DELETE FROM locks WHERE resource = ?1 AND owner = ?2 AND expires_ms > ?3 RETURNING owner",
  sweep: `DELETE FROM locks WHERE resource IN (
    SELECT resource FROM locks WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)`,
} as const;

/** Makes `lock.sqlite`. */
export function createSqliteLockStore(deps: ComponentDeps): LockStore {
  return new SqliteLockStore(deps);
}

/** Locks by resource; time is the wall clock of the machine that all who share the file run on. */
class SqliteLockStore implements LockStore {
  readonly #deps: ComponentDeps;
  #engine: Engine<keyof typeof STATEMENTS> | undefined;
  #sweeps: Timer | undefined;
  #closed = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { clock, name, logger } = this.#deps;
    const options = decodeMetadata(LOCK_FIELDS, metadata, { component: name, logger });
    const database = databaseOf(options, logger, this.#deps.directory);
    this.#engine = await storing(openEngine({ ...database, schema: SCHEMA, statements: STATEMENTS }));
    if (this.#closed) {
      await this.#engine.close();
      return;
    }
    this.#sweeps = clock.every(LOCK_SWEEP_MS, () => this.#sweep());
  }

  async tryLock({ resourceId, owner, expirySeconds }: TryLockRequest): Promise<boolean> {
    const nowMs = this.#deps.clock.now();
    const params = [resourceId, owner, nowMs + expirySeconds * 1_000, nowMs];
    const { changes } = await storing(this.#opened().write([{ statement: "lock", params }]));
    return changes[0] === 1;
  }

  async unlock({ resourceId, owner }: UnlockRequest): Promise<UnlockStatus> {
    const nowMs = this.#deps.clock.now();
    const { rows } = await storing(
      this.#opened().write([
        { statement: "unlock", params: [resourceId, owner, nowMs] },
        { statement: "holder", params: [resourceId, nowMs] },
      ]),
    );
    if (rows[0]?.length === 1) {
      return "success";
    }
    return rows[1]?.length === 1 ? "lockBelongsToOthers" : "lockDoesNotExist";
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sweeps?.cancel();
    await this.#engine?.close();
  }

  #opened(): Engine<keyof typeof STATEMENTS> {
    if (this.#engine === undefined || this.#closed) {
      throw new ComponentError("unavailable", "component is closed");
    }
    return this.#engine;
  }

  #sweep(): void {
    const params = [this.#deps.clock.now(), SWEPT_LOCKS_MAX];
    this.#engine?.write([{ statement: "sweep", params }]).catch((error: unknown) => {
      this.#deps.logger.warn(`expired locks could not be removed: ${errorMessage(error)}`);
    });
  }
}
