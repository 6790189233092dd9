import type { Engine, EngineOptions } from "./engine.ts";
import { openLocalEngine } from "./local-engine.ts";
import { openWorkerEngine } from "./worker-engine.ts";

/**
 * Opens a database for a component: with a writer's thread where there is a disk to wait for, in this thread where the
 * database lives in memory (a second connection would see another, empty one).
 * @throws StorageError when the database cannot be opened
 */
export async function openEngine<S extends string>(options: EngineOptions<S>): Promise<Engine<S>> {
  return options.journal === "memory" ? openLocalEngine(options) : openWorkerEngine(options);
}
