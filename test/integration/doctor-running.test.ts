import { expect, it } from "vitest";
import { OUTRIGGER_VERSION } from "../../src/kit/release.ts";
import { devFolder, startOutrigger } from "../harness/outrigger-program.ts";
import { component } from "../harness/resources.ts";
import { startSidecarProgram } from "../harness/sidecar-program.ts";
import { freePort } from "../harness/test-app.ts";

it("finds the sidecars of a session that runs, and nothing wrong with them", async () => {
  await using folder = await devFolder([{ id: "orders" }, { id: "stock" }]);
  await using dev = startOutrigger(["dev"], { cwd: folder.path });
  await dev.says("Ctrl-C ends all.");
  await folder.session();
  await using doctor = startOutrigger(["doctor"], { cwd: folder.path });
  const { code } = await doctor.ended;
  expect(doctor.output).toMatch(/^ok {5}running/m);
  expect(doctor.output).toMatch(/^ok {5}clocks/m);
  expect(doctor.output).toContain(
    `· the sidecar orders is Outrigger ${OUTRIGGER_VERSION}, compatible with Dapr 1.18.3`,
  );
  expect(doctor.output).toMatch(/^ok {5}ports/m);
  expect([code, doctor.output]).toEqual([0, doctor.output]);
});

it("tells what a sidecar says about itself, given its address", async () => {
  const resources = component("cache", "state.redis", { redisHost: `127.0.0.1:${await freePort()}` });
  await using sidecar = await startSidecarProgram({
    resources: resources.replace("  version: v1", "  version: v1\n  ignoreErrors: true"),
  });
  await using doctor = startOutrigger(["doctor", "--sidecar", `http://127.0.0.1:${sidecar.httpPort}`], { cwd: "/" });
  expect((await doctor.ended).code).toBe(2);
  expect(doctor.output).toMatch(/^- {6}ports/m);
  expect(doctor.output).toMatch(/component cache \(state\.redis\) is failed: /);
  expect(doctor.output).toMatch(/\n1 error, 0 warnings\n$/);
});

it("says that nobody is there", async () => {
  const address = `http://127.0.0.1:${await freePort()}`;
  await using doctor = startOutrigger(["doctor", "--sidecar", address], { cwd: "/" });
  expect((await doctor.ended).code).toBe(2);
  expect(doctor.output).toContain("its sidecar does not answer");
});
