import { expect, it } from "vitest";
import { fakeHost } from "./fake-host.fixture.ts";
import { placementCommand } from "./placement-command.ts";

it("prints placement's help to standard error", async () => {
  const { host, out, err } = fakeHost();
  expect(await placementCommand(["--help"], host)).toBe(0);
  expect(out).toEqual([]);
  expect(err.join("")).toMatch(/^Usage of placement:\n {6}--disseminate-coalesce-window duration/);
  expect(err.join("")).not.toContain("api-level");
});

it("exits with 2 and the reason last when it cannot read the line", async () => {
  const { host, err } = fakeHost();
  expect(await placementCommand(["--initial-clusters=x"], host)).toBe(2);
  expect(err.join("").split("\n").at(-2)).toBe("unknown flag: --initial-clusters (did you mean --initial-cluster?)");
});
