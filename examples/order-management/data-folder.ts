import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Where everything lies that one run of the order system leaves on the disk. */
export interface DataFolder {
  readonly root: string;
  /** What `outrigger dev` is given as its `--data-dir`. */
  readonly runtime: string;
  /** The state store of all services. */
  readonly store: string;
  /** Process ids and ports of what runs. */
  readonly session: string;
  readonly confirmations: string;
  readonly secrets: string;
  readonly settings: string;
  /** Units on hand before the first order. */
  readonly opening: string;
  /** What the replay asked and was answered, a line each. */
  readonly journal: string;
  /** What the runtime and the services print. */
  readonly log: string;
}

export function dataFolderAt(root: string): DataFolder {
  const runtime = join(root, "runtime");
  return {
    root,
    runtime,
    store: join(runtime, "state.db"),
    session: join(runtime, "session.json"),
    confirmations: join(root, "confirmations"),
    secrets: join(root, "secrets.json"),
    settings: join(root, "settings.sqlite"),
    opening: join(root, "opening-stock.json"),
    journal: join(root, "replay.jsonl"),
    log: join(root, "dev.log"),
  };
}

/** Makes what is not there yet: the folders, and the secrets with a key of their own. */
export function prepareDataFolder(folder: DataFolder): void {
  for (const path of [folder.runtime, folder.confirmations]) mkdirSync(path, { recursive: true });
  if (!existsSync(folder.secrets)) {
    writeFileSync(folder.secrets, JSON.stringify({ "facade-api-key": randomUUID() }), { mode: 0o600 });
  }
}

/** What the components in `resources/` take from the environment. */
export function environmentOf(folder: DataFolder): Record<string, string> {
  return {
    ORDER_CONFIRMATIONS: folder.confirmations,
    ORDER_SECRETS_FILE: folder.secrets,
    ORDER_SETTINGS_DB: folder.settings,
  };
}

/** What the façade wants in `x-api-key` of everything that changes something. */
export function apiKeyOf(folder: DataFolder): string {
  return secretsSchema.parse(JSON.parse(readFileSync(folder.secrets, "utf8")))["facade-api-key"];
}

const secretsSchema = z.object({ "facade-api-key": z.string().min(1) });
