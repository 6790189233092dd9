import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Engine, Schema } from "../../storage/engine.ts";
import { openEngine } from "../../storage/open-engine.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata, type DecodedMetadata } from "../spi/metadata.ts";
import type { Instance, NameResolver, ResolveRequest } from "../spi/name-resolution.ts";
import { databaseOf, isIdentifier } from "./connection-string.ts";
import { reading, storing } from "./engine-calls.ts";
import { NAME_RESOLUTION_FIELDS } from "./name-resolution-manifest.ts";

type Options = DecodedMetadata<typeof NAME_RESOLUTION_FIELDS>;

/** Tables and keys are those of components-contrib, and so is the migration level. */
function schemaOf({ tableName, metadataTableName }: Options): Schema {
  return {
    metadataTable: metadataTableName,
    key: "nr-migrations",
    migrations: [
      `CREATE TABLE ${tableName} (
        registration_id TEXT NOT NULL PRIMARY KEY,
        address TEXT NOT NULL,
        app_id TEXT NOT NULL,
        namespace TEXT NOT NULL,
        last_update INTEGER NOT NULL
      );
      CREATE UNIQUE INDEX ${tableName}_address_idx ON ${tableName} (address);
      CREATE INDEX ${tableName}_last_update_idx ON ${tableName} (last_update);`,
    ],
  };
}

/**
 * Dapr renews once, just before a registration runs out: as times are whole seconds, that leaves the write as little as
 * nothing, and an app is then unknown for a moment.
 */
const RENEWALS_PER_LIFE = 2;

/** Times are whole seconds since the epoch. */
function statementsOf({ tableName, metadataTableName }: Options) {
  return {
    /** registration, address, app, now: takes over what stood under the address. The namespace stays empty, as Dapr leaves it. */
    register: `REPLACE INTO ${tableName} (registration_id, address, app_id, namespace, last_update) VALUES (?1, ?2, ?3, '', ?4)`,
    /** registration, address, now */
    renew: `UPDATE ${tableName} SET last_update = ?3 WHERE registration_id = ?1 AND address = ?2`,
    /** registration, address, app, now: nothing changes where the address is another's. */
    registerAgain: `INSERT INTO ${tableName} (registration_id, address, app_id, namespace, last_update)
      VALUES (?1, ?2, ?3, '', ?4) ON CONFLICT DO NOTHING`,
    /** registration, address */
    unregister: `DELETE FROM ${tableName} WHERE registration_id = ?1 AND address = ?2`,
    /** app, now, seconds of life → an address */
    resolve: `SELECT address FROM ${tableName} WHERE app_id = ?1 AND ?2 - last_update < ?3 ORDER BY random() LIMIT 1`,
    /** now, seconds: of all sidecars on the file one cleans up in an interval. */
    beginCleanup: `INSERT INTO ${metadataTableName} (key, value) VALUES ('nr-last-cleanup', datetime(?1, 'unixepoch'))
      ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE ?1 - unixepoch(value) >= ?2`,
    /** now, seconds */
    cleanup: `DELETE FROM ${tableName} WHERE ?1 - last_update > ?2`,
  } as const;
}

type Statement = keyof ReturnType<typeof statementsOf>;

/** The factory of the resolver `sqlite`. */
export function createSqliteNameResolver(deps: ComponentDeps): NameResolver {
  return new SqliteNameResolver(deps);
}

/** What stands in the table for this sidecar. */
interface Registration {
  readonly id: string;
  readonly address: string;
  readonly appId: string;
}

class SqliteNameResolver implements NameResolver {
  readonly #deps: ComponentDeps;
  readonly #timers: Timer[] = [];
  #options: Options | undefined;
  #engine: Engine<Statement> | undefined;
  #registration: Registration | undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger, clock } = this.#deps;
    const options = decodeMetadata(NAME_RESOLUTION_FIELDS, metadata, { component: name, logger });
    check(options, name);
    const database = databaseOf(options, logger, this.#deps.directory);
    if (database.journal === "memory") {
      logger.warn(
        "Configuring name resolution with an in-memory SQLite database. Service invocation across different apps will not work.",
      );
    } else {
      logger.info(
        `Configuring SQLite name resolution with path ${database.file.replace(/^file:/i, "").replace(/\?.*$/, "")}`,
      );
    }
    this.#options = options;
    this.#engine = await storing(
      openEngine({ ...database, schema: schemaOf(options), statements: statementsOf(options) }),
    );
    if (this.#closing !== undefined) {
      await this.#engine.close();
    } else if (options.cleanupInterval > 0) {
      this.#timers.push(clock.every(options.cleanupInterval, () => void this.#cleanUp(options)));
    }
  }

  async announce({ appId, address, internalGrpcPort }: Instance): Promise<void> {
    const engine = this.#opened();
    const { clock, random } = this.#deps;
    const host = address.includes(":") ? `[${address}]` : address;
    const registration = { id: random.uuid(), address: `${host}:${internalGrpcPort}`, appId };
    await storing(
      engine.write([
        { statement: "register", params: [registration.id, registration.address, appId, this.#nowSeconds()] },
      ]),
    );
    this.#registration = registration;
    const { updateInterval, timeout } = this.#options ?? {};
    if (updateInterval !== undefined && timeout !== undefined) {
      const renewalMs = (updateInterval - timeout) / RENEWALS_PER_LIFE;
      this.#timers.push(clock.every(renewalMs, () => void this.#renew(engine, registration)));
    }
  }

  async resolve({ appId }: ResolveRequest): Promise<string> {
    const engine = this.#opened();
    const seconds = (this.#options?.updateInterval ?? 0) / 1_000;
    const address = reading(() => engine.read("resolve", [appId, this.#nowSeconds(), seconds]))?.[0];
    if (typeof address !== "string") {
      throw new ComponentError("notFound", "no host found with the given ID");
    }
    return address;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    for (const timer of this.#timers.splice(0)) {
      timer.cancel();
    }
    const registration = this.#registration;
    try {
      if (registration !== undefined) {
        await this.#engine?.write([{ statement: "unregister", params: [registration.id, registration.address] }]);
      }
    } catch (error) {
      this.#deps.logger.warn(`failed to unregister host: ${errorMessage(error)}`);
    } finally {
      await this.#engine?.close();
    }
  }

  #opened(): Engine<Statement> {
    if (this.#engine === undefined || this.#closing !== undefined) {
      throw new ComponentError("unavailable", "component is closed");
    }
    return this.#engine;
  }

  #nowSeconds(): number {
    return Math.floor(this.#deps.clock.now() / 1_000);
  }

  /**
   * A row that is gone is put back: Dapr's own cleanup removes live ones. One whose address another sidecar took over
   * stays that one's.
   */
  async #renew(engine: Engine<Statement>, { id, address, appId }: Registration): Promise<void> {
    const now = this.#nowSeconds();
    try {
      const { changes } = await engine.write([
        { statement: "renew", params: [id, address, now] },
        { statement: "registerAgain", params: [id, address, appId, now] },
      ]);
      if (changes[0] === 0) {
        const outcome = changes[1] === 1 ? "it has been made again" : `another sidecar has ${address} now`;
        this.#deps.logger.warn(`host registration lost: ${outcome}`);
      }
    } catch (error) {
      if (this.#closing === undefined) {
        this.#deps.logger.error(`Failed to update host registration: ${errorMessage(error)}`);
      }
    }
  }

  async #cleanUp({ cleanupInterval, updateInterval }: Options): Promise<void> {
    const [now, every] = [this.#nowSeconds(), Math.floor(cleanupInterval / 1_000)];
    try {
      const engine = this.#opened();
      const begun = await engine.write([{ statement: "beginCleanup", params: [now, every] }]);
      if (begun.changes[0] === 0) {
        this.#deps.logger.debug("Last cleanup was performed too recently");
        return;
      }
      const age = Math.max(every, updateInterval / 1_000);
      const { changes } = await engine.write([{ statement: "cleanup", params: [now, age] }]);
      this.#deps.logger.info(`Removed ${changes[0]} expired rows`);
    } catch (error) {
      this.#deps.logger.error(`Error removing expired data: ${errorMessage(error)}`);
    }
  }
}

/** @throws ComponentError `invalidMetadata` in the words of Dapr's component */
function check({ tableName, metadataTableName, updateInterval, timeout }: Options, component: string): void {
  const refuse = (field: string, message: string): never => {
    throw new ComponentError("invalidMetadata", message, { facts: { component, field } });
  };
  if (!isIdentifier(tableName)) {
    refuse("tableName", `invalid identifier for table name: ${tableName}`);
  }
  if (!isIdentifier(metadataTableName)) {
    refuse("metadataTableName", `invalid identifier for metadata table name: ${metadataTableName}`);
  }
  if (updateInterval % 1_000 !== 0) {
    refuse("updateInterval", "update interval must not contain fractions of seconds");
  }
  if (updateInterval - timeout < 1_000) {
    refuse("updateInterval", "update interval must be at least 1s greater than timeout");
  }
}
