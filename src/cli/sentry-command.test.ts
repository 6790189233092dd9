import { expect, it } from "vitest";
import { fakeHost } from "./fake-host.fixture.ts";
import { sentryCommand } from "./sentry-command.ts";

it("prints sentry's help to standard error", async () => {
  const { host, out, err } = fakeHost();
  expect(await sentryCommand(["--help"], host)).toBe(0);
  expect(out).toEqual([]);
  expect(err.join("")).toMatch(/^Usage of sentry:\n {6}--config string/);
});

it("exits with 2 and the reason last when it cannot read the line", async () => {
  const { host, err } = fakeHost();
  expect(await sentryCommand(["--issuer-credential=x"], host)).toBe(2);
  expect(err.join("").split("\n").at(-2)).toBe(
    "unknown flag: --issuer-credential (did you mean --issuer-credentials?)",
  );
});
