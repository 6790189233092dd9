import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../kit/clock.ts";
import type { Engine } from "../../../storage/engine.ts";
import { lockDirectory } from "../../../storage/directory-lock.ts";
import { openEngine } from "../../../storage/open-engine.ts";
import { LOCK_WAIT_MS } from "../limits.ts";
import type { WatchedKeyStore } from "./key-store.ts";
import { SqliteKeyStore } from "./sqlite-key-store.ts";
import { type KeyStatement, keyStoreOptions } from "./sqlite-schema.ts";

/** Where etcd keeps its data. */
const ETCD_FOLDER = "member";

const FOLDER_MODE = 0o700;

/**
 * Opens the store in a folder, which is then this process's alone. Keys under a lease do not outlive the process that
 * granted it: they are gone.
 * @param lockWaitMs how long another process may take to let go of the folder; the thread waits
 * @throws Error saying what is wrong with the folder
 */
export async function openKeyStore(
  folder: string,
  clock: Clock,
  bytesMax: number,
  lockWaitMs = LOCK_WAIT_MS,
): Promise<WatchedKeyStore> {
  mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  if (existsSync(join(folder, ETCD_FOLDER))) {
    throw new Error(
      `the folder ${folder} holds the data of an etcd, whose jobs this scheduler would not see: export them there with ` +
        "`dapr scheduler export`, import them here with `dapr scheduler import`, and give this scheduler an --etcd-data-dir of its own",
    );
  }
  const lock = lockDirectory(folder, lockWaitMs);
  let engine: Engine<KeyStatement> | undefined;
  try {
    engine = await openEngine(keyStoreOptions(folder, clock));
    await engine.write([{ statement: "dropLeased", params: [] }]);
    const store = new SqliteKeyStore(engine, bytesMax);
    const closeStore = store.close.bind(store);
    store.close = async () => {
      await closeStore();
      lock.release();
    };
    return store;
  } catch (error) {
    await engine?.close();
    lock.release();
    throw error;
  }
}
