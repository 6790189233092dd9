import { expect, it } from "vitest";
import { devFolder, isAlive, startOutrigger } from "../harness/outrigger-program.ts";
import { until } from "../harness/until.ts";
import { installed } from "./program.ts";

it.each([
  ["in one process", []],
  ["in processes of its own", ["--separate-sidecars"]],
])("the executable runs apps with their sidecars %s", async (_where, flags) => {
  using executable = installed();
  await using folder = await devFolder([{ id: "orders" }, { id: "stock" }]);
  await using dev = startOutrigger(["dev", ...flags], { cwd: folder.path, program: executable.program });
  await dev.says("Ctrl-C ends all.");
  await until("one app calls the other", async () => {
    const answer = await folder.dapr("orders", "/v1.0/invoke/stock/method/hello");
    expect(await answer.text()).toBe("stock answers /hello");
    return true;
  });
  const { apps } = await folder.session();
  await dev.signal("SIGKILL");
  const pids = apps.flatMap(({ appPid = 0, sidecarPid = 0 }) => [appPid, sidecarPid]);
  await until("nothing is left", () => !pids.some(isAlive));
});

it("the executable runs a run file", async () => {
  using executable = installed();
  await using folder = await devFolder([{ id: "orders" }]);
  await using run = startOutrigger(["run", "-f", "."], { cwd: folder.path, program: executable.program });
  await run.says("== APP - orders == listening");
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
});
