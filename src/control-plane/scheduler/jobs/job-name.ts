import { goQuote } from "../../../kit/go-quote.ts";
import type { JobMetadata } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JOB_NAME_BYTES_MAX } from "../limits.ts";
import { JobError } from "./job-error.ts";

/** Between the parts of a job's full name. */
const SEPARATOR = "||";

/** They would leave the key's folder, or a URL's path. */
const FORBIDDEN = /[#?/\\]/;

/** Go's `unicode.IsControl`. */
// oxlint-disable-next-line no-control-regex -- to refuse them
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Which streams a job goes to: the beginning of its full name, which all jobs of an app or of an actor type share. */
export type JobTarget = string;

export function appTarget(namespace: string, appId: string): JobTarget {
  return `app||${namespace}||${appId}||`;
}

export function actorTarget(namespace: string, actorType: string): JobTarget {
  return `actorreminder||${namespace}||${actorType}||`;
}

/** What the full name of a job begins with; the rest is the name its owner gave it. @throws JobError for no target */
export function namePrefix(metadata: JobMetadata | undefined): string {
  const type = metadata?.target?.type;
  switch (type?.case) {
    case "actor":
      return actorTarget(metadata?.namespace ?? "", type.value.type) + type.value.id + SEPARATOR;
    case "job":
      return appTarget(metadata?.namespace ?? "", metadata?.appId ?? "");
    default:
      throw new JobError("unknown", "unknown job type: <nil>");
  }
}

/** @throws JobError */
export function targetOf(metadata: JobMetadata): JobTarget {
  const type = metadata.target?.type;
  switch (type?.case) {
    case "actor":
      return actorTarget(metadata.namespace, type.value.type);
    case "job":
      return appTarget(metadata.namespace, metadata.appId);
    default:
      throw new JobError("unknown", "unknown job type: <nil>");
  }
}

/**
 * The beginning of the full names of all jobs of an app, an actor, or an actor type (where no id is given).
 * @param open the id is only the beginning of one
 * @throws JobError for no target
 */
export function listPrefix(metadata: JobMetadata | undefined, open: boolean): string {
  const type = metadata?.target?.type;
  const full =
    type?.case === "actor" && type.value.id === ""
      ? actorTarget(metadata?.namespace ?? "", type.value.type)
      : namePrefix(metadata);
  return open ? full.slice(0, -SEPARATOR.length) : full;
}

/** The rules of go-etcd-cron for a full name, in its words. @throws JobError */
export function checkJobName(name: string): void {
  if (name === "") {
    throw new JobError("unknown", "job name cannot be empty");
  }
  const problem = problemOf(name);
  if (problem !== undefined) {
    throw new JobError("unknown", `job name is invalid ${goQuote(name)}: must ${problem}`);
  }
}

function problemOf(name: string): string | undefined {
  if (Buffer.byteLength(name) > JOB_NAME_BYTES_MAX) {
    return `be at most ${JOB_NAME_BYTES_MAX} characters`;
  }
  if (FORBIDDEN.test(name)) {
    return "not contain '/', '\\', '#' or '?'";
  }
  if (CONTROL.test(name)) {
    return "not contain control characters";
  }
  return name === "." || name === ".." ? "not be a path traversal sequence" : undefined;
}
