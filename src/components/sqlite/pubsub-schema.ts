import type { Schema } from "../../storage/engine.ts";

/**
 * How messages lie in the file. A subscription (topic and consumer id) has a cursor: what lies behind it has not been
 * handed out. A message in somebody's hands, waiting for another attempt or for its time is a row of `pubsub_deliveries`;
 * its `due_ms` is when it may be handed out again, and at the same time the proof of whoever holds it: settling and
 * renewing name it and every claim and renewal moves it on, so a holder whose time ran out and whose message somebody
 * else has taken changes nothing. Only topics with a subscription have a row. Triggers keep the
 * number of stored messages, and take along what belongs to a subscription that an operator deletes for good. Ids are never used twice, which AUTOINCREMENT promises.
 */
export const PUBSUB_SCHEMA: Schema = {
  metadataTable: "pubsub_metadata",
  key: "migrations",
  migrations: [
    `CREATE TABLE pubsub_topics (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      messages INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE pubsub_subscriptions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      topic_id INTEGER NOT NULL REFERENCES pubsub_topics (id),
      consumer TEXT NOT NULL,
      cursor INTEGER NOT NULL,
      UNIQUE (topic_id, consumer)
    );
    CREATE TABLE pubsub_messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      topic_id INTEGER NOT NULL REFERENCES pubsub_topics (id),
      data BLOB,
      content_type TEXT,
      metadata TEXT,
      published_ms INTEGER NOT NULL,
      deliver_ms INTEGER,
      expires_ms INTEGER
    );
    CREATE INDEX pubsub_messages_topic ON pubsub_messages (topic_id);
    CREATE INDEX pubsub_messages_expiry ON pubsub_messages (expires_ms) WHERE expires_ms IS NOT NULL;
    CREATE TABLE pubsub_deliveries (
      subscription_id INTEGER NOT NULL,
      due_ms INTEGER NOT NULL,
      message_id INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      PRIMARY KEY (subscription_id, due_ms, message_id)
    ) WITHOUT ROWID;
    CREATE INDEX pubsub_deliveries_message ON pubsub_deliveries (message_id);
    CREATE TABLE pubsub_dead_letters (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      topic TEXT NOT NULL,
      consumer TEXT NOT NULL,
      message_id INTEGER NOT NULL,
      data BLOB,
      content_type TEXT,
      metadata TEXT,
      published_ms INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      reason TEXT NOT NULL,
      parked_ms INTEGER NOT NULL
    );
    CREATE TRIGGER pubsub_messages_added AFTER INSERT ON pubsub_messages BEGIN
      UPDATE pubsub_topics SET messages = messages + 1 WHERE id = NEW.topic_id;
    END;
    CREATE TRIGGER pubsub_messages_removed AFTER DELETE ON pubsub_messages BEGIN
      UPDATE pubsub_topics SET messages = messages - 1 WHERE id = OLD.topic_id;
    END;
    CREATE TRIGGER pubsub_subscriptions_removed AFTER DELETE ON pubsub_subscriptions BEGIN
      DELETE FROM pubsub_deliveries WHERE subscription_id = OLD.id;
      DELETE FROM pubsub_messages WHERE topic_id = OLD.topic_id
        AND id <= coalesce((SELECT min(cursor) FROM pubsub_subscriptions WHERE topic_id = OLD.topic_id), id)
        AND NOT EXISTS (SELECT 1 FROM pubsub_deliveries WHERE message_id = pubsub_messages.id);
      DELETE FROM pubsub_topics WHERE id = OLD.topic_id
        AND NOT EXISTS (SELECT 1 FROM pubsub_subscriptions WHERE topic_id = OLD.topic_id);
    END;`,
  ],
};

const HELD = "subscription_id = ?1 AND due_ms = ?2 AND message_id = ?3";

/**
 * Every statement. In a claim, `claimAgain`, `claimNew` and `moveCursor` go together in this order: each takes from
 * `changes()` how much the one before has taken.
 */
export const PUBSUB_STATEMENTS = {
  /** name, data, contentType, metadata, now, deliverMs, expiresMs, messagesMax: nothing changes without a subscription. */
  publish: `INSERT INTO pubsub_messages (topic_id, data, content_type, metadata, published_ms, deliver_ms, expires_ms)
    SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM pubsub_topics WHERE name = ?1 AND messages < ?8`,
  /** name → stored messages */
  storedMessages: "SELECT messages FROM pubsub_topics WHERE name = ?1",
  /** name → the consumer that has come least far */
  lastConsumer: `SELECT s.consumer FROM pubsub_subscriptions s JOIN pubsub_topics t ON t.id = s.topic_id
    WHERE t.name = ?1 ORDER BY s.cursor LIMIT 1`,

  addTopic: "INSERT INTO pubsub_topics (name) VALUES (?1) ON CONFLICT DO NOTHING",
  /** topic, consumer: starts behind everything published so far. */
  addSubscription: `INSERT INTO pubsub_subscriptions (topic_id, consumer, cursor)
    SELECT id, ?2, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'pubsub_messages'), 0)
    FROM pubsub_topics WHERE name = ?1
    ON CONFLICT DO NOTHING`,
  /** topic, consumer → topic id, subscription id */
  findSubscription: `SELECT t.id, s.id FROM pubsub_topics t JOIN pubsub_subscriptions s ON s.topic_id = t.id
    WHERE t.name = ?1 AND s.consumer = ?2`,

  /** subscription, now, holdUntil, limit → message, attempts: what came back or whose time has come. */
  claimAgain: `UPDATE pubsub_deliveries SET due_ms = ?3, attempts = attempts + 1
    WHERE subscription_id = ?1 AND (due_ms, message_id) IN (
      SELECT due_ms, message_id FROM pubsub_deliveries
      WHERE subscription_id = ?1 AND due_ms <= ?2 ORDER BY due_ms, message_id LIMIT ?4)
    RETURNING message_id, attempts`,
  /** subscription, topic, now, holdUntil, limit → message, attempts; 0 attempts: its time has not come. */
  claimNew: `INSERT INTO pubsub_deliveries (subscription_id, due_ms, message_id, attempts)
    SELECT ?1, iif(deliver_ms > ?3, deliver_ms, ?4), id, iif(deliver_ms > ?3, 0, 1)
    FROM pubsub_messages
    WHERE topic_id = ?2 AND id > (SELECT cursor FROM pubsub_subscriptions WHERE id = ?1)
    ORDER BY id LIMIT max(0, ?5 - changes())
    RETURNING message_id, attempts`,
  /** subscription, topic */
  moveCursor: `UPDATE pubsub_subscriptions SET cursor = (
      SELECT max(id) FROM (
        SELECT id FROM pubsub_messages WHERE topic_id = ?2 AND id > pubsub_subscriptions.cursor ORDER BY id LIMIT changes()))
    WHERE id = ?1 AND changes() > 0`,
  /** subscription, topic, now → 1 when a claim would find something */
  hasWork: `SELECT EXISTS (SELECT 1 FROM pubsub_deliveries WHERE subscription_id = ?1 AND due_ms <= ?3)
    OR EXISTS (SELECT 1 FROM pubsub_messages
      WHERE topic_id = ?2 AND id > (SELECT cursor FROM pubsub_subscriptions WHERE id = ?1))`,
  /** subscription → when the next row is due */
  nextDue: "SELECT min(due_ms) FROM pubsub_deliveries WHERE subscription_id = ?1",
  /** message → data, contentType, metadata, expiresMs */
  message: "SELECT data, content_type, metadata, expires_ms FROM pubsub_messages WHERE id = ?1",

  /** subscription, JSON list of [due, message] */
  acknowledge: `DELETE FROM pubsub_deliveries WHERE subscription_id = ?1 AND (due_ms, message_id) IN (
      SELECT value ->> 0, value ->> 1 FROM json_each(?2))`,
  /** topic, the same list: those of the messages that no subscription has before it or in hand. */
  removeTaken: `DELETE FROM pubsub_messages WHERE id IN (SELECT value ->> 1 FROM json_each(?2))
      AND id <= (SELECT min(cursor) FROM pubsub_subscriptions WHERE topic_id = ?1)
      AND NOT EXISTS (SELECT 1 FROM pubsub_deliveries WHERE message_id = pubsub_messages.id)`,
  /** subscription, JSON list of [due, message], holdUntil → message: those that still are whose list it is. */
  renew: `UPDATE pubsub_deliveries SET due_ms = ?3 WHERE subscription_id = ?1 AND (due_ms, message_id) IN (
      SELECT value ->> 0, value ->> 1 FROM json_each(?2))
    RETURNING message_id`,
  /** subscription, due, message, next due */
  giveBack: `UPDATE pubsub_deliveries SET due_ms = ?4 WHERE ${HELD}`,
  /** subscription, due, message, now: as if it had never been handed out. */
  release: `UPDATE pubsub_deliveries SET due_ms = ?4, attempts = attempts - 1 WHERE ${HELD}`,
  /** subscription, due, message, dead letter topic, now: nothing changes where that topic has no subscription. */
  deadLetter: `INSERT INTO pubsub_messages (topic_id, data, content_type, metadata, published_ms)
    SELECT t.id, m.data, m.content_type, m.metadata, ?5
    FROM pubsub_deliveries d JOIN pubsub_messages m ON m.id = d.message_id JOIN pubsub_topics t ON t.name = ?4
    WHERE d.subscription_id = ?1 AND d.due_ms = ?2 AND d.message_id = ?3`,
  /** subscription, due, message, reason, now: follows `deadLetter`, and does nothing where that did. */
  park: `INSERT INTO pubsub_dead_letters
      (topic, consumer, message_id, data, content_type, metadata, published_ms, attempts, reason, parked_ms)
    SELECT t.name, s.consumer, m.id, m.data, m.content_type, m.metadata, m.published_ms, d.attempts, ?4, ?5
    FROM pubsub_deliveries d
    JOIN pubsub_messages m ON m.id = d.message_id
    JOIN pubsub_subscriptions s ON s.id = d.subscription_id
    JOIN pubsub_topics t ON t.id = s.topic_id
    WHERE d.subscription_id = ?1 AND d.due_ms = ?2 AND d.message_id = ?3 AND changes() = 0`,

  /** now → a row when something has expired */
  hasExpired: "SELECT 1 FROM pubsub_messages WHERE expires_ms <= ?1 LIMIT 1",
  /** now, limit */
  sweepExpired: `DELETE FROM pubsub_messages WHERE id IN (
      SELECT id FROM pubsub_messages WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)`,
  /** Changes whenever somebody else writes to the file, the writer of this process included. */
  dataVersion: "SELECT data_version FROM pragma_data_version",
} as const;

export type PubSubStatement = keyof typeof PUBSUB_STATEMENTS;
