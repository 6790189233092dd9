import { expect, it } from "vitest";
import { component, configuration, temporaryFolder } from "../harness/resources.ts";
import { startSidecarProgram } from "../harness/sidecar-program.ts";
import { eventually } from "../harness/watched-sidecar.ts";

const denied = "  api: { denied: [{ name: secrets, version: v1, protocol: http }] }\n";

it("a Configuration among the resources restarts the sidecar where it is the one in use, and only then", async () => {
  await using one = await startSidecarProgram({
    resources: component("first", "state.in-memory"),
    flags: ["--log-level=debug"],
  });
  await one.folder.write("other.yaml", configuration(denied));
  await one.program.says(
    "Received Configuration CREATED event: config - nothing to reload: no file given as --config says anything new",
  );
  expect(one.program.output).not.toContain("restarting");
});

it("a Configuration in use that has changed counts after a restart in the process", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("used.yaml", configuration("  api: {}\n"));
  await using two = await startSidecarProgram({
    resources: component("first", "state.in-memory"),
    flags: [`--config=${path}`, `--resources-path=${folder.path}`],
  });
  const { pid } = two.program;
  await folder.write("used.yaml", configuration(denied));
  await two.program.says("Received Configuration UPDATED event: config - triggering SIGHUP reload");
  await eventually("the new Configuration", async () => {
    const response = await two.fetch("/v1.0/secrets/store/key").catch(() => undefined);
    return response?.status === 404;
  });
  expect(two.program.pid).toBe(pid);
  expect(await two.program.signal("SIGTERM")).toMatchObject({ code: 0 });
});

it("with the feature switched off nothing is followed", async () => {
  await using one = await startSidecarProgram({
    resources: component("first", "state.in-memory"),
    configuration: configuration("  features: [{ name: HotReload, enabled: false }]\n"),
  });
  const report = (await (await one.fetch("/outrigger/v1/components")).json()) as { reload?: unknown };
  expect(report.reload).toBeUndefined();
  expect(one.program.output).not.toContain("Hot reloading enabled");
});

it("a stop that is asked for during a restart, and a second hangup, each end as they should", async () => {
  await using one = await startSidecarProgram({ resources: component("first", "state.in-memory") });
  void one.program.signal("SIGHUP");
  void one.program.signal("SIGHUP");
  await one.program.says("Received signal 'hangup'; restarting");
  await eventually("it is ready again", one.isReady);
  void one.program.signal("SIGHUP");
  expect(await one.program.signal("SIGTERM")).toMatchObject({ code: 0 });
  expect(one.program.output).toContain("Daprd shutdown gracefully");
});
