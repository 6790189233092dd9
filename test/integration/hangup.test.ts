import { expect, it } from "vitest";
import { component, configuration } from "../harness/resources.ts";
import { startSidecarProgram } from "../harness/sidecar-program.ts";
import { until } from "../harness/until.ts";

it("SIGHUP starts the sidecar again in its process, with what the files say now, on its ports, with fresh metrics", async () => {
  await using one = await startSidecarProgram({
    resources: component("first", "state.in-memory"),
    configuration: configuration("  metrics: { recordErrorCodes: true }\n"),
  });
  const names = async (): Promise<readonly string[]> => {
    const metadata = (await (await one.fetch("/v1.0/metadata")).json()) as { components: { name: string }[] };
    return metadata.components.map(({ name }) => name);
  };
  expect(await names()).toEqual(["first"]);
  await one.fetch("/v1.0/state/nowhere/key");
  expect(await one.metrics()).toContain("dapr_error_code_total");

  await one.folder.write("resources.yaml", component("second", "state.in-memory"));
  await one.folder.write(
    "config.txt",
    configuration("  api: { denied: [{ name: secrets, version: v1, protocol: http }] }\n"),
  );
  const { pid } = one.program;
  void one.program.signal("SIGHUP");
  await one.program.says("Received signal 'hangup'; restarting");
  await until("the new resources are there", async () => (await one.isReady()) && (await names())[0] === "second");

  expect(await names()).toEqual(["second"]);
  expect(await one.metrics()).not.toContain("dapr_error_code_total");
  const denied = await one.fetch("/v1.0/secrets/store/key");
  expect([denied.status, await denied.json()]).toMatchObject([404, { errorCode: "ERR_DIRECT_INVOKE" }]);
  expect(one.program.pid).toBe(pid);
  expect(await one.program.signal("SIGTERM")).toMatchObject({ code: 0 });
});

it("a resource that keeps it from starting again ends it with 1", async () => {
  await using one = await startSidecarProgram({ resources: component("first", "state.in-memory") });
  await one.folder.write("resources.yaml", component("second", "state.nothing"));
  expect(await one.program.signal("SIGHUP")).toMatchObject({ code: 1 });
  expect(one.program.output).toContain("Fatal error from runtime");
});
