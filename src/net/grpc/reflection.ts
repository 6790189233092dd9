import { create, type DescFile, type MessageInitShape, type Registry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import {
  file_grpc_reflection_v1_reflection,
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../wire/gen/grpc/reflection/v1/reflection_pb.js";
import { file_grpc_reflection_v1alpha_reflection } from "../../wire/gen/grpc/reflection/v1alpha/reflection_pb.js";
import { methodsOf } from "./protobuf.ts";
import type { GrpcServer } from "./server.ts";

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

const NOT_FOUND: Answer = {
  case: "errorResponse",
  value: { errorCode: GRPC_STATUS.NOT_FOUND, errorMessage: "proto: not found" },
};

/**
 * Registers server reflection, v1 and v1alpha, whose messages are equal on the wire. The descriptors are those of the
 * registry and what they import; the services listed are those the server has methods of.
 */
export function addReflection(server: GrpcServer, registry: Registry): void {
  const descriptors = new Descriptors(registry);
  const { serverReflectionInfo } = methodsOf(ServerReflection);
  for (const version of ["v1", "v1alpha"]) {
    server.add(
      { ...serverReflectionInfo, path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo` },
      (requests) => answerAll(requests, descriptors, server),
    );
  }
}

async function* answerAll(
  requests: AsyncIterable<ServerReflectionRequest>,
  descriptors: Descriptors,
  server: GrpcServer,
): AsyncGenerator<ServerReflectionResponse> {
  const sent = new Set<DescFile>();
  for await (const request of requests) {
    const messageResponse = answer(request.messageRequest, descriptors, server, sent);
    yield create(ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse,
    });
  }
}

function answer(
  asked: ServerReflectionRequest["messageRequest"],
  descriptors: Descriptors,
  server: GrpcServer,
  sent: Set<DescFile>,
): Answer {
  switch (asked.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: server.serviceNames.toSorted().map((name) => ({ name })) },
      };
    case "fileByFilename":
      return filesAnswer(descriptors.fileNamed(asked.value), sent);
    case "fileContainingSymbol":
      return filesAnswer(descriptors.fileOfSymbol(asked.value), sent);
    case "fileContainingExtension":
      return filesAnswer(descriptors.fileOfExtension(asked.value.containingType, asked.value.extensionNumber), sent);
    case "allExtensionNumbersOfType": {
      const numbers = descriptors.extensionNumbers(asked.value);
      if (numbers === undefined) return NOT_FOUND;
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: asked.value, extensionNumber: numbers } };
    }
    default:
      return {
        case: "errorResponse",
        value: { errorCode: GRPC_STATUS.INVALID_ARGUMENT, errorMessage: "invalid MessageRequest" },
      };
  }
}

/** A file and what it imports, without those that this stream has been given. */
function filesAnswer(file: DescFile | undefined, sent: Set<DescFile>): Answer {
  if (file === undefined) return NOT_FOUND;
  const files: Uint8Array[] = [];
  const visit = (one: DescFile): void => {
    if (sent.has(one) && one !== file) return;
    sent.add(one);
    files.push(toBinary(FileDescriptorProtoSchema, one.proto));
    for (const dependency of one.dependencies) if (!sent.has(dependency)) visit(dependency);
  };
  visit(file);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: files } };
}

/** The registry's files by name and by the symbols in them. */
class Descriptors {
  private readonly registry: Registry;
  private readonly files = new Map<string, DescFile>();

  constructor(registry: Registry) {
    this.registry = registry;
    for (const type of registry) this.addFile(type.file);
    for (const file of REFLECTION_FILES) this.addFile(file);
  }

  private addFile(file: DescFile): void {
    if (this.files.has(file.proto.name)) return;
    this.files.set(file.proto.name, file);
    for (const dependency of file.dependencies) this.addFile(dependency);
  }

  fileNamed(name: string): DescFile | undefined {
    return this.files.get(name);
  }

  /** A symbol is a type, or a member of one: a method, a field or an enum's value. */
  fileOfSymbol(symbol: string): DescFile | undefined {
    const name = symbol.startsWith(".") ? symbol.slice(1) : symbol;
    return this.fileOfType(name) ?? this.fileOfType(name.slice(0, Math.max(name.lastIndexOf("."), 0)));
  }

  fileOfExtension(containingType: string, number: number): DescFile | undefined {
    const message = this.registry.getMessage(containingType);
    return message === undefined ? undefined : this.registry.getExtensionFor(message, number)?.file;
  }

  extensionNumbers(typeName: string): number[] | undefined {
    if (this.registry.getMessage(typeName) === undefined) return undefined;
    const numbers: number[] = [];
    for (const type of this.registry)
      if (type.kind === "extension" && type.extendee.typeName === typeName) numbers.push(type.number);
    return numbers;
  }

  private fileOfType(typeName: string): DescFile | undefined {
    const known = this.registry.get(typeName)?.file;
    if (known !== undefined) return known;
    for (const file of this.files.values()) {
      if (file.services.some((one) => one.typeName === typeName)) return file;
      if (file.enums.some((one) => one.typeName === typeName)) return file;
      if (file.messages.some((one) => typeName === one.typeName || typeName.startsWith(`${one.typeName}.`)))
        return file;
    }
    return undefined;
  }
}

const REFLECTION_FILES: readonly DescFile[] = [
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection,
];
