import { expect, it } from "vitest";
import { startOutrigger } from "../harness/outrigger-program.ts";
import { startPlacementProgram } from "../harness/placement-program.ts";
import { startTestApp } from "../harness/test-app.ts";

/** What the doctor says of a sidecar with this placement service, and its exit code. */
async function diagnosed(placement: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const sidecar = ["sidecar", "--app-id=shop", "--scheduler-host-address=", `--placement-host-address=${placement}`];
  await using doctor = startOutrigger(["doctor", ...sidecar], { cwd: "/" });
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
