import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { FileWatch } from "./file-watch.ts";
import { FILES_LOOK_MS, FILES_SETTLE_MS } from "./limits.ts";

const PATIENCE = { timeout: 20_000 };

const clock = new VirtualClock();
let folder: string;
let path: string;
let watch: FileWatch | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-"));
  path = join(folder, "issuer.key");
});
afterEach(async () => {
  watch?.stop();
  expect(clock.pendingTimers).toBe(0);
  await rm(folder, { recursive: true });
});

/** Lets it look once; resolves when it has looked. */
async function look(ms = FILES_LOOK_MS): Promise<void> {
  clock.advance(ms);
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1), PATIENCE);
}

it("tells a change when the files have stayed the same for a while, and what was there at first never", async () => {
  await writeFile(path, "1");
  const onChange = vi.fn<() => Promise<void>>(() => Promise.resolve());
  watch = new FileWatch({ paths: [path, join(folder, "absent")], clock, onChange });
  await look(0);
  await look();
  await writeFile(path, "12");
  await look();
  await writeFile(path, "123");
  await look(FILES_SETTLE_MS);
  expect(onChange).not.toHaveBeenCalled();
  await look(FILES_SETTLE_MS);
  expect(onChange).toHaveBeenCalledTimes(1);
  await rm(path);
  await look();
  await look(FILES_SETTLE_MS);
  expect(onChange).toHaveBeenCalledTimes(2);
});

it("tells a change that comes while another one is taken over", async () => {
  const onChange = vi.fn<() => Promise<void>>(async () => {
    if (onChange.mock.calls.length === 1) {
      await writeFile(path, "second");
    }
  });
  watch = new FileWatch({ paths: [path], clock, onChange });
  await look(0);
  await writeFile(path, "first");
  await look();
  await look(FILES_SETTLE_MS);
  expect(onChange).toHaveBeenCalledTimes(1);
  await look();
  await look(FILES_SETTLE_MS);
  expect(onChange).toHaveBeenCalledTimes(2);
  await look();
  await look(FILES_SETTLE_MS);
  expect(onChange).toHaveBeenCalledTimes(2);
});
