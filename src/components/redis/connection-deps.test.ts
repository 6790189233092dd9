import { expect, it } from "vitest";
import type { ComponentDeps } from "../spi/component.ts";
import { connectionDeps } from "./connection-deps.ts";

it("reports degraded until the last lost connection is back", () => {
  const reports: string[] = [];
  const deps = {
    report: (condition: string, reason?: string) => void reports.push(`${condition} ${reason ?? ""}`),
  } as unknown as ComponentDeps;
  const next = connectionDeps(deps);
  const [one, two] = [next(), next()];
  one.report("degraded", "one is lost");
  two.report("degraded", "two is lost");
  one.report("ready");
  two.report("ready");
  expect(reports).toEqual(["degraded one is lost", "degraded one is lost", "degraded two is lost", "ready "]);
});
