import { create, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { Dapr } from "../../src/wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
} from "../../src/wire/gen/grpc/reflection/v1/reflection_pb.js";
import { GrpcCaller } from "../harness/grpc-caller.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const { serverReflectionInfo } = methodsOf(ServerReflection);
const list = create(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } });

it.each(["v1", "v1alpha"])("the gRPC API describes itself by reflection %s", async (version) => {
  await using one = await startTestSidecar();
  const method = { ...serverReflectionInfo, path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo` };
  const symbol = create(ServerReflectionRequestSchema, {
    messageRequest: { case: "fileContainingSymbol", value: Dapr.typeName },
  });
  const [services, file] = await one.grpc.exchange(method, [list, symbol]);
  const names =
    services?.messageResponse.case === "listServicesResponse"
      ? services.messageResponse.value.service.map(({ name }) => name)
      : [];
  expect(names).toContain("dapr.proto.runtime.v1.Dapr");
  const files =
    file?.messageResponse.case === "fileDescriptorResponse"
      ? file.messageResponse.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
      : [];
  const service = files.flatMap((one) => one.service).find(({ name }) => name === "Dapr");
  expect(service?.method.map(({ name }) => name)).toEqual(Dapr.methods.map(({ name }) => name));
});

it("the internal gRPC port does not", async () => {
  await using one = await startTestSidecar();
  const internal = new GrpcCaller(`127.0.0.1:${one.sidecar.ports.internalGrpc ?? 0}`);
  await expect(internal.exchange(serverReflectionInfo, [list])).rejects.toMatchObject({ code: 2 });
  internal.close();
});
