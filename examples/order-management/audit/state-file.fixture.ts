import { DatabaseSync } from "node:sqlite";

/** Writes a file as `state.sqlite` does: JSON as text, or as base64 where it came as bytes. */
export function writeStateFile(path: string, records: Readonly<Record<string, unknown>>, asBytes = false): void {
  const database = new DatabaseSync(path);
  database.exec(
    "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL)",
  );
  const insert = database.prepare("INSERT OR REPLACE INTO state VALUES (?, ?, ?)");
  for (const [key, value] of Object.entries(records)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    insert.run(key, asBytes ? Buffer.from(text).toString("base64") : text, asBytes ? 1 : 0);
  }
  database.close();
}
