import { createJobsBlock, type JobsBlock } from "../blocks/jobs/jobs-block.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { NamedJob } from "../scheduling/types.ts";

/** The jobs of an app with a scheduler in memory, which triggers nothing. */
export function testJobs(): { readonly block: JobsBlock; readonly jobs: Map<string, NamedJob> } {
  const jobs = new Map<string, NamedJob>();
  const scheduler = {
    addresses: [],
    async schedule(_target: unknown, job: NamedJob, overwrite: boolean) {
      if (jobs.has(job.name) && !overwrite) {
        throw new GrpcError(GRPC_STATUS.ALREADY_EXISTS, "job already exists");
      }
      jobs.set(job.name, job);
    },
    async get(_target: unknown, name: string) {
      const job = jobs.get(name);
      if (job === undefined) {
        throw new GrpcError(GRPC_STATUS.NOT_FOUND, `job not found: ${name}`);
      }
      return job;
    },
    list: async () => [...jobs.values()],
    delete: async (_target: unknown, name: string) => void jobs.delete(name),
    async deleteByPrefix(_target: unknown, prefix: string) {
      for (const name of [...jobs.keys()].filter((key) => key.startsWith(prefix))) {
        jobs.delete(name);
      }
    },
  };
  return { jobs, block: createJobsBlock({ appId: "app", namespace: "ns", scheduler, logger: silentLogger }) };
}
