import { expect, it } from "vitest";
import { OUTRIGGER_VERSION } from "../../src/kit/release.ts";
import { startOutrigger } from "../harness/outrigger-program.ts";
import { startPlacementDouble } from "../harness/placement-double.ts";
import { startPlacementProgram } from "../harness/placement-program.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { SchedulerProgram, schedulerPorts } from "../harness/scheduler-program.ts";
import { startTestApp } from "../harness/test-app.ts";

/** What the doctor says of a sidecar with this placement service, and its exit code. */
async function diagnosed(
  placement: string,
  scheduler = "",
): Promise<{ readonly code: number | null; readonly output: string }> {
  const addresses = [`--placement-host-address=${placement}`, `--scheduler-host-address=${scheduler}`];
  await using doctor = startOutrigger(["doctor", "sidecar", "--app-id=shop", ...addresses], { cwd: "/" });
  const { code } = await doctor.ended;
  return { code, output: doctor.output };
}

it("tells a placement service from other servers", async () => {
  await using placement = await startPlacementProgram();
  expect((await diagnosed(placement.address)).output).toMatch(/^ok {5}reachability/m);
  await using other = await startTestApp();
  const { code, output } = await diagnosed(`127.0.0.1:${other.port}`);
  expect(output).toContain(`the placement service at 127.0.0.1:${other.port} does not answer as one: `);
  expect(code).toBe(2);
});

it("tells the releases of services, and that others do not say theirs", async () => {
  await using folder = await temporaryFolder();
  await using scheduler = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
  await using placement = await startPlacementProgram();
  const address = `127.0.0.1:${scheduler.ports.api}`;
  const { output } = await diagnosed(placement.address, address);
  expect(output).toContain(`· the placement service at ${placement.address} is Outrigger ${OUTRIGGER_VERSION}\n`);
  expect(output).toContain(`· the scheduler at ${address} is Outrigger ${OUTRIGGER_VERSION}\n`);
  expect(output).toMatch(/^ok {5}versions/m);
  await using other = await startPlacementDouble();
  expect((await diagnosed(other.address)).output).toContain(
    `· the placement service at ${other.address}: release unknown, since Dapr's services write theirs into their logs only\n`,
  );
});
