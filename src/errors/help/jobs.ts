import type { jobErrors } from "../catalogue/jobs.ts";
import { help, type HelpOf } from "./error-help.ts";

const REACH =
  "Check that the scheduler runs and that `--scheduler-host-address` names it; `GET /v1.0/metadata` says what is connected.";

export const jobHelp: HelpOf<typeof jobErrors> = {
  schedule: help(
    "The scheduler did not take the job. Its own reason is at the end of the text, and its status is the answer's.",
    "`already exists`: send it with `overwrite`, or delete the old one.",
    "A schedule that cannot be read: use `@every 1m`, `@daily` or a cron line with six fields, seconds first.",
    REACH,
  ),
  get: help(
    "The scheduler did not answer with the job: there is none of that name, or it cannot be reached.",
    "Check the job's name, and that the same app asks that has scheduled it.",
    REACH,
  ),
  list: help("The scheduler did not list the jobs.", REACH),
  delete: help("The scheduler did not delete the job. It may still trigger.", "Repeat it.", REACH),
  jobEmpty: help("The request has no job in it.", "Send a body with at least a schedule or a due time."),
  nameEmpty: help("The job has no name.", "Send the name: in the path over HTTP, in the message over gRPC."),
  scheduleEmpty: help(
    "The job has neither a schedule nor a due time, so it would never trigger.",
    "Send `schedule`, `dueTime` or both.",
  ),
  nameInBody: help(
    "Over HTTP the job's name is part of the path, and the body has one as well.",
    "Take `name` out of the body.",
  ),
};
