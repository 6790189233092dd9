import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { systemRandom } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createSqliteLockStore, LOCK_SWEEP_MS } from "./lock.ts";

test("a lock outlives the instance that took it, and its row goes some time after it expired", async () => {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-lock-"));
  const file = join(folder, "locks.db");
  const clock = new VirtualClock();
  const start = async () => {
    const store = createSqliteLockStore({
      name: "lock",
      appId: "app",
      namespace: "",
      logger: silentLogger,
      clock,
      random: systemRandom,
      environment: {},
      report() {},
      shared: { acquire: (_, create) => create() },
    });
    await store.init({ connectionString: file }, new AbortController().signal);
    return store;
  };
  const locked = (): unknown[] => {
    const database = new DatabaseSync(file, { readOnly: true });
    const rows = database.prepare("SELECT resource FROM locks").all();
    database.close();
    return rows;
  };
  const first = await start();
  expect(await first.tryLock({ resourceId: "r", owner: "a", expirySeconds: 90 })).toBe(true);
  await first.close();
  const second = await start();
  expect(await second.tryLock({ resourceId: "r", owner: "b", expirySeconds: 90 })).toBe(false);
  clock.advance(LOCK_SWEEP_MS);
  expect(locked()).toEqual([{ resource: "r" }]);
  clock.advance(LOCK_SWEEP_MS);
  await vi.waitFor(() => expect(locked()).toEqual([]), { timeout: 5_000, interval: 5 });
  await second.close();
  rmSync(folder, { recursive: true });
});
