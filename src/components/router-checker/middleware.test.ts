import { expect, it } from "vitest";
import { openMiddleware } from "../spi/middleware.fixture.ts";
import { routerCheckerManifest } from "./manifest.ts";

it.each([
  ["^[A-Za-z0-9/._-]+$", "/v1.0/invoke/qcg.default/method", 200],
  ["^[A-Za-z0-9/._-]+$", "/v1.0/invoke/qcg.default/method/%20cat%20password", 400],
  ["^[A-Za-z0-9/._-]+$", "/a?b", 400],
  ["", "/anything", 200],
  ["(?i)^/V1\\.0/", "/v1.0/state", 200],
])("rule %j lets %s through: %i", async (rule, target, status) => {
  const { ask } = await openMiddleware(routerCheckerManifest, { rule });
  const asked = await ask(target);
  expect([asked.status, asked.passed !== undefined]).toEqual([status, status === 200]);
  if (status === 400) {
    expect([asked.text, asked.header("content-type")]).toEqual(["invalid router", "text/plain; charset=utf-8"]);
  }
});

it.each(["*invalid", "invalid(", "(?=ahead)", "a".repeat(5000)])("%j is no rule", async (rule) => {
  await expect(openMiddleware(routerCheckerManifest, { rule })).rejects.toThrow(/^failed to compile rule regexp: /);
});

it("a rule that would take a backtracking engine years takes no time", async () => {
  const { ask } = await openMiddleware(routerCheckerManifest, { rule: "^/(a+)+$" });
  expect((await ask(`/${"a".repeat(20_000)}!`)).status).toBe(400);
});
