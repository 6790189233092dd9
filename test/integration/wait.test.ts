import { expect, it } from "vitest";
import { startOutrigger } from "../harness/outrigger-program.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { freePort } from "../harness/test-app.ts";

it("--wait returns with 0 once the sidecar on that port can make calls", async () => {
  await using folder = await temporaryFolder();
  const port = await freePort();
  await using waiting = startOutrigger(["sidecar", "--wait", `--dapr-http-port=${port}`], { cwd: folder.path });
  await waiting.says("Dapr outbound NOT ready yet");
  await using _one = await startTestSidecar({ httpPort: port, appPort: await freePort() }, false);
  expect(await waiting.ended).toMatchObject({ code: 0 });
  expect(waiting.output).toContain("Dapr is outbound ready!");
});
