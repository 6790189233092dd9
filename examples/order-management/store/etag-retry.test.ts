import { expect, it } from "vitest";
import { retryOnConflict } from "./etag-retry.ts";
import { EtagConflictError } from "./versioned-store.ts";

it("tries again until no other writer came in between, pausing in between", async () => {
  const pauses: number[] = [];
  const attempt = async (conflicts: number): Promise<string> => {
    if (conflicts < 3) throw new EtagConflictError("busy");
    return await Promise.resolve("done");
  };
  expect(await retryOnConflict(attempt, async (conflicts) => void pauses.push(conflicts))).toBe("done");
  expect(pauses).toEqual([1, 2, 3]);
});

it("gives up in the end, and at once for other errors", async () => {
  let attempts = 0;
  const conflict = async (): Promise<void> => {
    attempts++;
    await Promise.reject(new EtagConflictError("busy"));
  };
  await expect(retryOnConflict(conflict, async () => {})).rejects.toThrow("busy");
  expect(attempts).toBe(50);
  const broken = async (conflicts: number): Promise<void> => await Promise.reject(new Error(`broken ${conflicts}`));
  await expect(retryOnConflict(broken, async () => {})).rejects.toThrow("broken 0");
});
