import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Engine, Row, Schema } from "../../storage/engine.ts";
import { openLocalEngine } from "../../storage/local-engine.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import type {
  ConfigurationGetRequest,
  ConfigurationItem,
  ConfigurationItems,
  ConfigurationListener,
  ConfigurationStore,
  ConfigurationSubscription,
} from "../spi/configuration.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { CONFIGURATION_FIELDS } from "./configuration-manifest.ts";
import { databaseOf, isIdentifier } from "./connection-string.ts";
import { reading, storing } from "./engine-calls.ts";

/** Items of one answer, and keys of one request. */
export const CONFIGURATION_ITEMS_MAX = 10_000;
/** Live subscriptions of one store. */
const CONFIGURATION_SUBSCRIPTIONS_MAX = 1_000;

/** The triggers count every change into one row, so that looking for changes reads one number. */
function schemaOf(table: string): Schema {
  const count = `BEGIN UPDATE ${table}_revision SET revision = revision + 1; END;`;
  return {
    metadataTable: "configuration_metadata",
    key: `migrations-${table}`,
    migrations: [
      `CREATE TABLE IF NOT EXISTS ${table} (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL,
        version TEXT NOT NULL DEFAULT '',
        metadata TEXT
      );
      CREATE TABLE ${table}_revision (revision INTEGER NOT NULL);
      INSERT INTO ${table}_revision VALUES (0);
      CREATE TRIGGER ${table}_inserted AFTER INSERT ON ${table} ${count}
      CREATE TRIGGER ${table}_updated AFTER UPDATE ON ${table} ${count}
      CREATE TRIGGER ${table}_deleted AFTER DELETE ON ${table} ${count}`,
    ],
  };
}

const COLUMNS = "key, CAST(value AS TEXT), CAST(version AS TEXT), metadata";

function statementsOf(table: string) {
  const most = CONFIGURATION_ITEMS_MAX + 1;
  return {
    all: `SELECT ${COLUMNS} FROM ${table} ORDER BY key LIMIT ${most}`,
    /** A JSON list of keys. */
    some: `SELECT ${COLUMNS} FROM ${table} WHERE key IN (SELECT value FROM json_each(?1))`,
    revision: `SELECT revision FROM ${table}_revision`,
    seed: `INSERT INTO ${table} (key, value, version) VALUES (?1, ?2, '1') ON CONFLICT (key) DO NOTHING`,
  } as const;
}

type Statement = keyof ReturnType<typeof statementsOf>;

/** Makes `configuration.sqlite`. */
export function createSqliteConfigurationStore(deps: ComponentDeps): ConfigurationStore {
  return new SqliteConfigurationStore(deps);
}

/** One subscriber and what it was last told, item by item as JSON text. */
interface Subscriber {
  readonly request: ConfigurationGetRequest;
  readonly listener: ConfigurationListener;
  known: ConfigurationItems;
}

/** Reads a table of values and looks for changes in it. It writes nothing but its own tables and `initialItems`, at the start. */
class SqliteConfigurationStore implements ConfigurationStore {
  readonly #deps: ComponentDeps;
  readonly #subscribers = new Set<Subscriber>();
  #engine: Engine<Statement> | undefined;
  #poll: Timer | undefined;
  #revision: unknown;
  #closed = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { clock, name, logger } = this.#deps;
    const options = decodeMetadata(CONFIGURATION_FIELDS, metadata, { component: name, logger });
    const { tableName, pollInterval } = options;
    if (!isIdentifier(tableName)) {
      throw new ComponentError("invalidMetadata", `invalid identifier for table name: ${tableName}`, {
        facts: { component: name, field: "tableName" },
      });
    }
    if (pollInterval < 1) {
      throw new ComponentError(
        "invalidMetadata",
        `metadata field "pollInterval" of component ${name} must be above 0`,
        {
          facts: { component: name, field: "pollInterval" },
        },
      );
    }
    const initialItems = initialItemsOf(options.initialItems, name);
    const database = databaseOf(options, logger, this.#deps.directory);
    const engine = reading(() =>
      openLocalEngine({ ...database, schema: schemaOf(tableName), statements: statementsOf(tableName) }),
    );
    this.#engine = engine;
    if (initialItems.length > 0) {
      await storing(engine.write(initialItems.map((params) => ({ statement: "seed", params }))));
      if (this.#closed) {
        return;
      }
    }
    this.#revision = engine.read("revision", [])?.[0];
    this.#poll = clock.every(pollInterval, () => this.#look());
  }

  async get(request: ConfigurationGetRequest): Promise<ConfigurationItems> {
    return this.#read(request.keys);
  }

  async subscribe(
    request: ConfigurationGetRequest,
    listener: ConfigurationListener,
  ): Promise<ConfigurationSubscription> {
    if (this.#subscribers.size >= CONFIGURATION_SUBSCRIPTIONS_MAX) {
      throw new ComponentError(
        "unavailable",
        `component ${this.#deps.name} has ${CONFIGURATION_SUBSCRIPTIONS_MAX} subscriptions already; end one first`,
      );
    }
    const subscriber: Subscriber = { request, listener, known: this.#read(request.keys) };
    this.#subscribers.add(subscriber);
    return {
      close: async () => void this.#subscribers.delete(subscriber),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#poll?.cancel();
    this.#subscribers.clear();
    await this.#engine?.close();
  }

  #read(keys: readonly string[]): ConfigurationItems {
    if (this.#engine === undefined || this.#closed) {
      throw new ComponentError("unavailable", "component is closed");
    }
    if (keys.length > CONFIGURATION_ITEMS_MAX) {
      throw new ComponentError("invalidRequest", `at most ${CONFIGURATION_ITEMS_MAX} keys, not ${keys.length}`);
    }
    const engine = this.#engine;
    const rows = reading(() =>
      keys.length === 0 ? engine.readAll("all", []) : engine.readAll("some", [JSON.stringify(keys)]),
    );
    if (rows.length > CONFIGURATION_ITEMS_MAX) {
      throw new ComponentError(
        "invalidRequest",
        `component ${this.#deps.name} holds more than ${CONFIGURATION_ITEMS_MAX} items: ask for them by their keys`,
      );
    }
    return Object.fromEntries(rows.map((row) => [String(row[0]), itemOf(row)]));
  }

  #look(): void {
    if (this.#subscribers.size === 0) {
      return;
    }
    try {
      const revision = this.#engine?.read("revision", [])?.[0];
      if (revision === this.#revision) {
        return;
      }
      this.#revision = revision;
      for (const subscriber of this.#subscribers) {
        this.#tell(subscriber);
      }
    } catch (error) {
      this.#deps.logger.error(`could not look for changes: ${errorMessage(error)}`);
    }
  }

  #tell(subscriber: Subscriber): void {
    const now = this.#read(subscriber.request.keys);
    const changes = changesBetween(subscriber.known, now);
    subscriber.known = now;
    if (changes !== undefined) {
      subscriber.listener(changes);
    }
  }
}

/** The pairs of key and value in the metadata field `initialItems`. */
function initialItemsOf(text: string | undefined, component: string): [key: string, value: string][] {
  if (text === undefined || text.trim() === "") {
    return [];
  }
  const refuse = (problem: string): never => {
    throw new ComponentError("invalidMetadata", `metadata field "initialItems" of component ${component} ${problem}`, {
      facts: { component, field: "initialItems" },
    });
  };
  const items = Object.entries(jsonObjectIn(text) ?? refuse('must be a JSON object like {"key": "value"}'));
  if (items.length > CONFIGURATION_ITEMS_MAX) {
    refuse(`holds ${items.length} items, but at most ${CONFIGURATION_ITEMS_MAX} are possible`);
  }
  return items.map(([key, value]) => [
    key,
    typeof value === "string" ? value : refuse(`must hold texts: put the value of ${JSON.stringify(key)} in quotes`),
  ]);
}

function jsonObjectIn(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function itemOf([, value, version, metadata]: Row): ConfigurationItem {
  return {
    value: typeof value === "string" ? value : "",
    version: typeof version === "string" ? version : "",
    metadata: metadataOf(metadata),
  };
}

/** Texts of a JSON object; what is none counts as no metadata, since the table is edited by hand. */
function metadataOf(text: Row[number] | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries((typeof text === "string" ? jsonObjectIn(text) : undefined) ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

const GONE: ConfigurationItem = { value: "", version: "", metadata: {} };

function changesBetween(before: ConfigurationItems, after: ConfigurationItems): ConfigurationItems | undefined {
  const changes: [string, ConfigurationItem][] = [];
  for (const [key, item] of Object.entries(after)) {
    if (!Object.hasOwn(before, key) || !isSame(before[key], item)) {
      changes.push([key, item]);
    }
  }
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) {
      changes.push([key, GONE]);
    }
  }
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

function isSame(one: ConfigurationItem | undefined, other: ConfigurationItem): boolean {
  return (
    one?.value === other.value &&
    one.version === other.version &&
    JSON.stringify(one.metadata) === JSON.stringify(other.metadata)
  );
}
