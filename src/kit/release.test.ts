import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { OUTRIGGER_VERSION } from "./release.ts";

it("is the package's", () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect(JSON.parse(text)).toMatchObject({ version: OUTRIGGER_VERSION });
});
