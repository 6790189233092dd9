import { expect, it } from "vitest";
import { loadConfiguration } from "./configuration.ts";

it("says which file is not there, as daprd does", async () => {
  await expect(loadConfiguration(["/nowhere/config.yaml"], {})).rejects.toThrow(
    "stat /nowhere/config.yaml: no such file or directory",
  );
});
