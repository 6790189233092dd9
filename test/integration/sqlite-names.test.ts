import { join } from "node:path";
import { expect, it } from "vitest";
import { configuration, temporaryFolder } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

it("sidecars that share nothing but a database file find each other", async () => {
  await using folder = await temporaryFolder();
  const names = configuration(`  nameResolution:
    component: sqlite
    configuration: { connectionString: ${JSON.stringify(join(folder.path, "names.db"))} }
`);
  await using app = await startTestApp({ answer: ({ url }) => ({ body: `got ${url}` }) });
  await using caller = await startTestSidecar({ appId: "caller", configuration: names });
  const early = await caller.fetch("/v1.0/invoke/callee/method/x");
  expect(await early.json()).toEqual({
    errorCode: "ERR_DIRECT_INVOKE",
    message: "failed to invoke, id: callee, err: no host found with the given ID",
  });
  await using _ = await startTestSidecar({ appId: "callee", appPort: app.port, configuration: names });
  expect(await (await caller.fetch("/v1.0/invoke/callee/method/x")).text()).toBe("got /x");
});
