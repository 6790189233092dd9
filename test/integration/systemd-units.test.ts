import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { PLACEMENT_FLAGS } from "../../src/cli/placement-flags.ts";
import { SCHEDULER_FLAGS } from "../../src/cli/scheduler-flags.ts";
import { SENTRY_FLAGS } from "../../src/cli/sentry-flags.ts";
import { SIDECAR_FLAGS } from "../../src/cli/sidecar-flags.ts";
import { loadConfiguration } from "../../src/resources/configuration.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { readEnvironmentFile, SYSTEMD_FOLDER, SystemdUnit } from "../harness/systemd-unit.ts";

const FLAGS: Readonly<Record<string, readonly { readonly name: string }[]>> = {
  sentry: SENTRY_FLAGS,
  placement: PLACEMENT_FLAGS,
  scheduler: SCHEDULER_FLAGS,
  sidecar: SIDECAR_FLAGS,
};

/** What a unit must not do without. */
const HARDENING = ["NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "User=outrigger"];

const ANALYZER = "systemd-analyze";

const verifies = spawnSync(ANALYZER, ["--version"]).status === 0;
const verifyNote = verifies ? "" : ` (${ANALYZER} is not in PATH)`;

describe.each(globSync("*.service", { cwd: SYSTEMD_FOLDER }).toSorted())("%s", (name) => {
  const unit = new SystemdUnit(name);

  it("starts a role with flags that it has", () => {
    const { role, flags } = unit.invocation();
    const known = new Set(FLAGS[role]?.map((flag) => flag.name));
    expect(flags.length).toBeGreaterThan(5);
    expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    expect(new Set(flags).size).toBe(flags.length);
  });

  it("uses variables that its environment files set", () => {
    const files = unit
      .values("EnvironmentFile")
      .map((path) => path.replace("/etc/outrigger/", "").replace("%i", "orders"));
    const set = files.map((file) => readEnvironmentFile(file)).flatMap((variables) => Object.keys(variables));
    const used = [...unit.command().matchAll(/\$\{(\w+)\}/g)].map(([, variable]) => variable);
    expect(used.length).toBeGreaterThan(1);
    expect(used.filter((variable) => !set.includes(variable ?? ""))).toEqual([]);
  });

  it("is started again whatever ends it, and may touch little", () => {
    expect(unit.values("Restart")).toEqual(["always"]);
    expect(unit.values("StartLimitIntervalSec")).toEqual(["0"]);
    const lines = unit.text.split("\n");
    expect(HARDENING.filter((line) => !lines.includes(line))).toEqual([]);
  });
});

it.skipIf(!verifies)(`systemd has nothing to say about the units${verifyNote}`, async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "units"));
  const units = await Promise.all(
    globSync("*.service", { cwd: SYSTEMD_FOLDER }).map(async (name) => {
      const unit = join(folder.path, "units", name.replace("@.", "@orders."));
      const text = readFileSync(join(SYSTEMD_FOLDER, name), "utf8");
      // The program need not be installed for this.
      await folder.write(join("units", name), text.replaceAll("/usr/bin/outrigger", "/bin/true"));
      if (name.includes("@.")) {
        await symlink(join(folder.path, "units", name), unit);
      }
      return unit;
    }),
  );
  const { stdout, stderr } = spawnSync(ANALYZER, ["verify", "--man=no", ...units], { encoding: "utf8" });
  const said = `${stdout}${stderr}`.split("\n").filter((line) => units.some((unit) => line.includes(basename(unit))));
  expect(said).toEqual([]);
});

it("the Configuration of sidecars names a resolver and reads the variables of its host", async () => {
  const environment = { ...readEnvironmentFile("host.env"), ...readEnvironmentFile("apps/orders.env") };
  const complaints: string[] = [];
  const configuration = await loadConfiguration([join(SYSTEMD_FOLDER, "sidecar.yaml")], environment, (place, text) =>
    complaints.push(`${place.line}: ${text}`),
  );
  expect(complaints).toEqual([]);
  expect(configuration.nameResolution).toMatchObject({
    component: "consul",
    configuration: { checks: [{ tcp: "10.0.0.1:50002" }] },
  });
});
