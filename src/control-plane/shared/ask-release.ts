import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcClient } from "../../net/grpc/types.ts";
import { About, GetAboutRequestSchema } from "../../wire/gen/outrigger/v1/about_pb.js";

/** The release of Outrigger that a service says it is of; undefined: it is no service of ours. @throws GrpcError without an answer */
export async function askRelease(client: GrpcClient, timeoutMs: number): Promise<string | undefined> {
  try {
    const { response } = await client.unary(methodsOf(About).getAbout, create(GetAboutRequestSchema), { timeoutMs });
    return response.release;
  } catch (error) {
    if (error instanceof GrpcError && error.code === GRPC_STATUS.UNIMPLEMENTED) {
      return undefined;
    }
    throw error;
  }
}
