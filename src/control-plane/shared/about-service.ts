import { create } from "@bufbuild/protobuf";
import { OUTRIGGER_VERSION } from "../../kit/release.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import type { GrpcServer } from "../../net/grpc/server.ts";
import { About, GetAboutResponseSchema } from "../../wire/gen/outrigger/v1/about_pb.js";

/** Lets whoever may connect ask which release this is: our own addition, for `outrigger doctor`. */
export function addAbout(server: GrpcServer): void {
  server.addService(methodsOf(About), {
    getAbout: () => Promise.resolve(create(GetAboutResponseSchema, { release: OUTRIGGER_VERSION })),
  });
}
