import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, it } from "vitest";
import { systemRandom } from "../../../kit/random.ts";
import { JobMetadataSchema, JobSchema } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JobError } from "./job-error.ts";
import { namePrefix } from "./job-name.ts";
import type { Progress } from "./job-times.ts";
import { newStoredJob } from "./new-job.ts";
import { apiJob, readContent, readPlan, readProgress, storedProgress } from "./read-job.ts";
import { ScheduleCache } from "./schedule-cache.ts";

const schedules = new ScheduleCache();
const factory = { random: systemRandom, schedules, now: () => Date.UTC(2026, 0, 2) };

/** Names that the store takes, the separator among them. */
const name = fc.string({ unit: fc.constantFrom("a", "|", "||", "é", "@", " "), minLength: 1, maxLength: 8 });

it("gives back every job's name and wishes, whatever its name contains", () => {
  fc.assert(
    fc.property(
      name,
      name,
      name,
      fc.boolean(),
      fc.record({
        dueTime: fc.constantFrom("1s", "PT1M", "2027-01-01T00:00:00Z"),
        repeats: fc.integer({ min: 1, max: 9 }),
      }),
      (jobName, id, type, isActor, wishes) => {
        const metadata = create(JobMetadataSchema, {
          namespace: "ns",
          appId: "app",
          target: { type: isActor ? { case: "actor", value: { id, type } } : { case: "job", value: {} } },
        });
        const job = create(JobSchema, { ...wishes, schedule: "@every 1h" });
        const stored = newStoredJob(job, metadata, factory);
        const fullName = namePrefix(metadata) + jobName;
        const content = readContent(fullName, stored);
        expect(content.name).toBe(jobName);
        expect(apiJob(content.spec)).toMatchObject(wishes);
        const plan = readPlan(fullName, stored, schedules);
        expect(plan.actorType).toBe(isActor ? type : undefined);
        expect(fullName.startsWith(plan.target)).toBe(true);
        expect(plan.times.repeats).toBe(wishes.repeats);
      },
    ),
  );
});

it("gives back progress, and none of another job's", () => {
  fc.assert(
    fc.property(
      fc.record<Progress>({
        count: fc.nat(),
        attempts: fc.nat(),
        lastMs: fc.option(fc.integer({ min: 0, max: 253_402_300_799_000 }), { nil: undefined }),
      }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (progress, partitionId) => {
        const stored = storedProgress(progress, partitionId);
        expect(readProgress(stored, partitionId)).toEqual(progress);
        expect(readProgress(stored, partitionId ^ 1n).count).toBe(0);
      },
    ),
  );
});

it("reads any bytes as a job or says what is wrong with them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readPlan("app||ns||app||x", bytes, schedules);
      } catch (error) {
        expect(error).toBeInstanceOf(JobError);
      }
    }),
  );
});
