import { expect, it } from "vitest";
import { configuration, IN_MEMORY, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

it("a section that this release does not act on is warned of, with its place", async () => {
  const unused = configuration("  workflow: { maxConcurrentWorkflowInvocations: 1 }\n");
  await using one = await startTestSidecar({ configuration: unused });
  expect(one.logger.lines).toContainEqual({
    level: "warn",
    message: expect.stringMatching(/:\d+: spec\.workflow has no effect in this release$/) as string,
  });
});

it("components of a denied type are left out, and the sidecar starts without them", async () => {
  const denied = configuration("  components: { deny: [pubsub.in-memory] }\n");
  await using one = await startTestSidecar({ resources: IN_MEMORY, configuration: denied });
  const { components } = (await (await one.fetch("/v1.0/metadata")).json()) as { components: { name: string }[] };
  expect(components.map(({ name }) => name)).toEqual(["store"]);
  expect((await one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: "x" })).status).toBe(404);
});

it("later Configuration files overlay earlier ones: what they leave out stays, lists are replaced", async () => {
  await using folder = await temporaryFolder();
  const files = [
    "  metrics: { recordErrorCodes: true }\n  components: { deny: [state.in-memory] }\n",
    "  components: { deny: [pubsub.in-memory] }\n",
  ].map((spec, index) => folder.write(`config-${index}.txt`, configuration(spec)));
  await using one = await startTestSidecar({
    resources: IN_MEMORY,
    configPaths: await Promise.all(files),
    metrics: { enabled: true, port: 0, listenAddress: "127.0.0.1" },
  });
  const { components } = (await (await one.fetch("/v1.0/metadata")).json()) as { components: { name: string }[] };
  expect(components.map(({ name }) => name)).toEqual(["store"]);
  await one.fetch("/v1.0/state/nowhere/key");
  const metrics = await fetch(`http://127.0.0.1:${one.sidecar.ports.metrics ?? 0}/`);
  expect(await metrics.text()).toContain('error_code="ERR_STATE_STORE_NOT_FOUND"');
});
