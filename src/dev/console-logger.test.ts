import { expect, it } from "vitest";
import { consoleLogger } from "./console-logger.ts";
import type { LineConsole } from "./types.ts";

it("says warnings and worse as the session's own words", () => {
  const said: string[] = [];
  const console: LineConsole = {
    app: () => undefined,
    sidecar: () => undefined,
    say: (level, appId, text) => void said.push(`${level} ${String(appId)} ${text}`),
  };
  const logger = consoleLogger(console).scope("dapr.scheduler");
  logger.debug("a");
  logger.info("b");
  logger.warn("c");
  logger.error("d");
  expect(said).toEqual(["warn undefined c", "error undefined d"]);
  expect([logger.enabled("info"), logger.enabled("error")]).toEqual([false, true]);
});
