import { expect, it } from "vitest";
import { appIdFault } from "./run-file-check.ts";
import { randomAppId } from "./run-plan-app-id.ts";

const randomOf = (next: () => number) => ({ uuid: () => "", bytes: () => new Uint8Array(), next });

it("makes an id of two words out of any numbers", () => {
  const ids = new Set(
    Array.from({ length: 100 }, (_, index) => {
      const numbers = [index / 100, 1 - (index + 1) / 101];
      return randomAppId(randomOf(() => numbers.shift() ?? 0));
    }),
  );
  ids.add(randomAppId(randomOf(() => 1 - Number.EPSILON)));
  for (const id of ids) {
    expect(id).toMatch(/^[a-z]+-[a-z]+$/);
    expect(appIdFault(id)).toBeUndefined();
  }
  expect(ids.size).toBeGreaterThan(60);
});
