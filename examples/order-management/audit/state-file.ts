import { DatabaseSync } from "node:sqlite";

/** A record of an actor's state, as it was saved. */
export interface StoredRecord {
  /** Of the actor. */
  readonly id: string;
  /** Of the record among those of its actor. */
  readonly name: string;
  readonly text: string;
}

const BUSY_MS_MAX = 5_000;

/**
 * Reads the table that Dapr's `state.sqlite` keeps (`key`, `value`, `is_binary`), without the services and without the
 * sidecars, which may go on writing. Everything that is read in one `snapshot` is of one moment.
 */
export class StateFile implements Disposable {
  readonly #database: DatabaseSync;

  /** @throws Error when there is no such file or no such table */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS_MAX });
  }

  snapshot<Result>(read: () => Result): Result {
    this.#database.exec("BEGIN");
    try {
      return read();
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  /** The records of all actors of a type: the keys are `<app id>||<actor type>||<actor id>||<name>`. */
  records(appId: string, actorType: string): StoredRecord[] {
    const from = `${appId}||${actorType}||`;
    // The character after the bar: no key of another type stands between the two.
    const to = `${from.slice(0, -1)}}`;
    const statement = this.#database.prepare("SELECT key, value, is_binary FROM state WHERE key >= ? AND key < ?");
    statement.setReturnArrays(true);
    return (statement.all(from, to) as unknown as [string, string, number][]).map(([key, value, isBinary]) => {
      const [id = "", name = ""] = key.slice(from.length).split("||");
      // Values that came over gRPC are stored as bytes, in base64.
      return { id, name, text: isBinary === 0 ? value : Buffer.from(value, "base64").toString("utf8") };
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
