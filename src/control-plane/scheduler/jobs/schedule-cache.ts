import { InvalidScheduleError, parseCron, type CronSchedule } from "../../../kit/cron.ts";
import { SCHEDULES_KEPT_MAX } from "../limits.ts";
import { JobError } from "./job-error.ts";

/** Parsed schedules, so that the many jobs with one text share one. Without a zone of its own a text means UTC. */
export class ScheduleCache {
  readonly #schedules = new Map<string, CronSchedule>();

  /** @throws JobError */
  get(text: string): CronSchedule {
    const known = this.#schedules.get(text);
    if (known !== undefined) {
      return known;
    }
    const schedule = parse(text);
    if (this.#schedules.size >= SCHEDULES_KEPT_MAX) {
      this.#schedules.clear();
    }
    this.#schedules.set(text, schedule);
    return schedule;
  }
}

function parse(text: string): CronSchedule {
  try {
    return parseCron(text, "UTC", "job");
  } catch (error) {
    if (error instanceof InvalidScheduleError) {
      throw new JobError("unknown", error.message, { cause: error });
    }
    throw error;
  }
}
