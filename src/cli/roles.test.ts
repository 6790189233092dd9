import { describe, expect, it } from "vitest";
import { fakeHost } from "./fake-host.fixture.ts";
import { chooseRole } from "./roles.ts";

async function outcome(names: readonly string[], args: readonly string[]) {
  const { host, out, err } = fakeHost();
  const choice = chooseRole(names, args);
  const exitCode = await choice.command(choice.args, host);
  return { exitCode, out: out.join(""), err: err.join("") };
}

describe("chooseRole", () => {
  it.each([
    [["daprd"], ["--version"]],
    [["node", "daprd"], ["--version"]],
    [
      ["node", "main.ts"],
      ["sidecar", "--version"],
    ],
    [
      ["node", "main.ts"],
      ["daprd", "--version"],
    ],
  ])("runs the sidecar as %j with %j", async (names, args) => {
    expect(await outcome(names, args)).toEqual({ exitCode: 0, out: "1.18.3\n", err: "" });
  });

  it.each([[["--help"]], [["help"]], [["-h"]]])("prints help for %j", async (args) => {
    expect(await outcome(["outrigger"], args)).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("sidecar    run a sidecar") as string,
    });
  });

  it("prints help and fails without a command", async () => {
    expect(await outcome(["outrigger"], [])).toMatchObject({
      exitCode: 1,
      out: "",
      err: expect.stringContaining("Usage: outrigger") as string,
    });
  });

  it("prints both versions", async () => {
    expect((await outcome(["outrigger"], ["version"])).out).toMatch(
      /^outrigger \d+\.\d+\.\d+, compatible with Dapr 1\.18\.3\n$/,
    );
  });

  it.each([
    [["operator", "--port=1"], "outrigger operator is not part of this release"],
    [["sidcar"], "did you mean sidecar?"],
    [["nothing"], "see `outrigger --help`"],
  ])("refuses %j", async (args, message) => {
    expect(await outcome(["outrigger"], args)).toMatchObject({
      exitCode: 1,
      out: "",
      err: expect.stringContaining(message) as string,
    });
  });

  it("knows other roles by the name of the executable too", async () => {
    expect(await outcome(["injector"], ["--port=1"])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining("outrigger injector") as string,
    });
  });
});
