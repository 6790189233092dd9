import { callerSignal } from "./caller-signal.ts";
import type { JobsBlock } from "../../blocks/jobs/jobs-block.ts";
import { respondEmpty, respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

export interface JobsRoutesOptions {
  /** Bytes of a request body; 0: no limit. */
  readonly maxBodyBytes: number;
}

/** Routes 33 and 34 of the HTTP API, under their stable and their first path. Listing is for gRPC callers. */
export function jobsRoutes(block: JobsBlock, options: JobsRoutesOptions): Route[] {
  return [
    ...routesOf(block, options, "/v1.0/jobs/:name", { name: "jobs", version: "v1" }),
    ...routesOf(block, options, "/v1.0-alpha1/jobs/:name", { name: "jobs", version: "v1alpha1" }),
  ];
}

function routesOf(
  block: JobsBlock,
  { maxBodyBytes }: JobsRoutesOptions,
  path: string,
  group: Route["group"],
): readonly Route[] {
  return [
    {
      methods: ["POST"],
      path,
      group,
      name: "ScheduleJob",
      async handler(exchange, params) {
        const [{ decodeJob }, body] = await Promise.all([messages(), exchange.readBody(maxBodyBytes)]);
        const job = decodeJob((params["name"] ?? "").trim(), body);
        await block.schedule({ ...job, trace: exchange.trace }, callerSignal(exchange));
        respondEmpty(exchange);
      },
    },
    {
      methods: ["GET"],
      path,
      group,
      name: "GetJob",
      async handler(exchange, params) {
        const { jobJson } = await messages();
        const job = await block.get(params["name"] ?? "", callerSignal(exchange));
        respondJson(exchange, 200, jobJson(job));
      },
    },
    {
      methods: ["DELETE"],
      path,
      group,
      name: "DeleteJob",
      async handler(exchange, params) {
        await block.delete(params["name"] ?? "", callerSignal(exchange));
        respondEmpty(exchange);
      },
    },
  ];
}

/** Protobuf is loaded with the first job. */
function messages(): Promise<typeof import("./jobs-messages.ts")> {
  return import("./jobs-messages.ts");
}
