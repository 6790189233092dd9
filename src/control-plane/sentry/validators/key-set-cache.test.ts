import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { silentLogger } from "../../../kit/silent-logger.ts";
import { VirtualClock } from "../../../kit/virtual-clock.fixture.ts";
import { FILES_LOOK_MS, FILES_SETTLE_MS } from "../limits.ts";
import { KeySetCache } from "./key-set-cache.ts";

const PATIENCE = { timeout: 20_000 };

const clock = new VirtualClock();
let folder: string;
let path: string;
let cache: KeySetCache;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "jwks-"));
  path = join(folder, "jwks.json");
  await writeFile(path, setOf("first"));
  cache = new KeySetCache(
    { source: path, caCertificate: "", refreshMs: 600_000, requestTimeoutMs: 1_000 },
    clock,
    silentLogger,
  );
});
afterEach(async () => {
  await cache.stop();
  expect(clock.pendingTimers).toBe(0);
  await rm(folder, { recursive: true });
});

function setOf(kid: string): string {
  return JSON.stringify({ keys: [{ kty: "OKP", crv: "Ed25519", kid }] });
}

it("follows its file, also where the files beside it never stay the same", async () => {
  await cache.start();
  expect(cache.keys.map(({ kid }) => kid)).toEqual(["first"]);
  clock.advance(0);
  let noise = 0;
  const look = async (ms: number): Promise<void> => {
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1), PATIENCE);
    await writeFile(join(folder, `noise-${noise++}`), "");
    clock.advance(ms);
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1), PATIENCE);
  };
  await look(FILES_LOOK_MS);
  await writeFile(path, setOf("second one"));
  await look(FILES_LOOK_MS);
  await look(FILES_SETTLE_MS);
  expect(cache.keys.map(({ kid }) => kid)).toEqual(["second one"]);
});

it("watches nothing when it is stopped while it starts", async () => {
  const starting = cache.start();
  await cache.stop();
  await expect(starting).rejects.toThrow("failed to init cache: the validator stops");
});
