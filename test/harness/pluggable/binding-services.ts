import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../../src/errors/grpc-status.ts";
import { methodsOf } from "../../../src/net/grpc/protobuf.ts";
import { GrpcError } from "../../../src/net/grpc/status.ts";
import {
  InputBinding,
  InputBindingInitResponseSchema,
  InvokeResponseSchema,
  ListOperationsResponseSchema,
  OutputBinding,
  OutputBindingInitResponseSchema,
  type ReadRequest,
  type ReadResponse,
  ReadResponseSchema,
} from "../../../src/wire/gen/dapr/proto/components/v1/bindings_pb.js";
import { PingResponseSchema } from "../../../src/wire/gen/dapr/proto/components/v1/common_pb.js";
import type { OfferedService } from "./component-server.ts";
import { Outlet } from "./outlet.ts";

/** An output binding that keeps what `create` gives it under the metadata `name`. */
export function outputBinding(): OfferedService {
  const objects = new Map<string, Uint8Array>();
  return {
    service: OutputBinding,
    register: (server) =>
      server.addService(methodsOf(OutputBinding), {
        init: () => create(OutputBindingInitResponseSchema),
        ping: () => create(PingResponseSchema),
        listOperations: () => create(ListOperationsResponseSchema, { operations: ["create", "get", "delete"] }),
        invoke: ({ operation, data, metadata }) => {
          const name = metadata["name"] ?? "";
          switch (operation) {
            case "create":
              objects.set(name, data);
              return create(InvokeResponseSchema, { metadata: { stored: name } });
            case "get":
              return create(InvokeResponseSchema, {
                data: objects.get(name) ?? new Uint8Array(0),
                contentType: "text/plain",
              });
            case "delete":
              objects.delete(name);
              return create(InvokeResponseSchema);
            default:
              throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, `no operation ${operation}`);
          }
        },
      }),
  };
}

/** An input binding whose events a test makes; `answers` are what came back. */
export interface InputBindingFixture {
  readonly service: OfferedService;
  readonly answers: readonly ReadRequest[];
  /** Sends an event to every reader. */
  send(text: string): void;
}

export function inputBinding(): InputBindingFixture {
  const answers: ReadRequest[] = [];
  const outlets = new Set<Outlet<ReadResponse>>();
  let count = 0;
  async function* read(requests: AsyncIterable<ReadRequest>, signal: AbortSignal): AsyncGenerator<ReadResponse> {
    const outlet = new Outlet<ReadResponse>(signal);
    outlets.add(outlet);
    void keepAll(requests, answers).finally(() => outlet.end());
    try {
      yield* outlet.items();
    } finally {
      outlets.delete(outlet);
    }
  }
  return {
    answers,
    send(text) {
      for (const outlet of outlets) {
        const messageId = String((count += 1));
        outlet.push(create(ReadResponseSchema, { data: Buffer.from(text), messageId, metadata: { from: "outside" } }));
      }
    },
    service: {
      service: InputBinding,
      register: (server) =>
        server.addService(methodsOf(InputBinding), {
          init: () => create(InputBindingInitResponseSchema),
          ping: () => create(PingResponseSchema),
          read: (requests, call) => read(requests, call.signal),
        }),
    },
  };
}

async function keepAll(requests: AsyncIterable<ReadRequest>, into: ReadRequest[]): Promise<void> {
  try {
    for await (const request of requests) {
      into.push(request);
    }
  } catch {
    // The reader was cut off.
  }
}
