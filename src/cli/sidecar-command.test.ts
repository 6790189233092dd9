import { expect, it } from "vitest";
import { fakeHost } from "./fake-host.fixture.ts";
import { sidecarCommand } from "./sidecar-command.ts";

it("prints daprd's help to standard error", async () => {
  const { host, out, err } = fakeHost();
  expect(await sidecarCommand(["--help"], host)).toBe(0);
  expect(out).toEqual([]);
  expect(err.join("")).toMatch(/^Usage of daprd:\n {6}--actors-disseminate-timeout duration/);
});

it("exits with 2 and the reason last when it cannot read the line", async () => {
  const { host, err } = fakeHost();
  expect(await sidecarCommand(["--ap-id=x"], host)).toBe(2);
  expect(err.join("").split("\n").at(-2)).toBe("unknown flag: --ap-id (did you mean --app-id?)");
});

it("prints the build", async () => {
  const { host, out } = fakeHost();
  expect(await sidecarCommand(["--build-info"], host)).toBe(0);
  expect(out.join("")).toMatch(/^Version: 1\.18\.3\nGit Commit: .+\nGit Version: .+\n$/);
});
