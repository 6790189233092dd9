import { afterEach, beforeEach, expect, it } from "vitest";
import type { JobMetadata } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { actorMetadata, appMetadata, SchedulerBench } from "../scheduler-bench.fixture.ts";
import { JOBS } from "../store/keys.ts";
import { namePrefix } from "./job-name.ts";
import { checkReminderQuota } from "./reminder-quota.ts";

const MAX = 3;
const FULL = actorMetadata("type", "id");
let bench: SchedulerBench;

beforeEach(async () => {
  bench = new SchedulerBench({ actorRemindersMax: MAX });
  for (const name of ["r1", "r2", "r3"]) {
    await bench.schedule(name, { dueTime: "1h" }, FULL, false);
  }
});
afterEach(() => bench.close());

const check = (name: string, metadata: JobMetadata, max = MAX): Promise<void> =>
  checkReminderQuota(bench.store, JOBS + namePrefix(metadata) + name, metadata, max);

it("refuses one reminder more than an actor may have, and says what can be done", async () => {
  const refusal = {
    kind: "limit",
    message:
      "actor type||id has 3 reminders, and the limit is 3: delete some, or start the scheduler with a greater --actor-reminders-max",
  };
  await expect(check("r4", FULL)).rejects.toMatchObject(refusal);
  await expect(bench.schedule("r4", { dueTime: "1h" }, FULL, true)).rejects.toMatchObject(refusal);
});

it("lets a reminder take its own place, and a new one the place of one that is deleted", async () => {
  await bench.schedule("r3", { dueTime: "2h" }, FULL, true);
  await bench.remove("r3", FULL);
  await bench.schedule("r4", { dueTime: "1h" }, FULL, false);
});

it("counts each actor's own, and neither jobs nor those of the workflow engine", async () => {
  await check("r4", actorMetadata("type", "other"));
  for (const metadata of [appMetadata(), actorMetadata("dapr.internal.ns.app.workflow", "id")]) {
    for (const name of ["r1", "r2", "r3", "r4"]) {
      await bench.schedule(name, { dueTime: "1h" }, metadata, false);
    }
  }
});

it("has no limit where that is 0", () => check("r4", FULL, 0));
