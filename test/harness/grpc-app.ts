import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import type { DescMethod } from "@bufbuild/protobuf";
import { methodOf } from "../../src/net/grpc/protobuf.ts";
import { AppCallback } from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { InvokeRequest, InvokeResponse } from "../../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import type {
  BindingEventRequest,
  BindingEventResponse,
  JobEventRequest,
  JobEventResponse,
  ListInputBindingsResponse,
  ListTopicSubscriptionsResponse,
  TopicEventRequest,
  TopicEventResponse,
} from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";

/** What the app does; calls without a handler are Unimplemented. Throw an object with `code` and `details` to fail. */
export interface GrpcAppHandlers {
  onInvoke?(request: InvokeRequest): InvokeResponse;
  listTopicSubscriptions?(): ListTopicSubscriptionsResponse;
  onTopicEvent?(request: TopicEventRequest): TopicEventResponse;
  listInputBindings?(): ListInputBindingsResponse;
  onBindingEvent?(request: BindingEventRequest): BindingEventResponse;
  onJobEvent?(request: JobEventRequest): JobEventResponse;
}

/** An app on grpc-js that serves `AppCallback`. */
export interface GrpcApp extends AsyncDisposable {
  readonly port: number;
}

/** Opens the app on a loopback port, a free one by default. */
export async function startGrpcApp(handlers: GrpcAppHandlers, wanted = 0): Promise<GrpcApp> {
  const server = new Server();
  const { onInvoke, listTopicSubscriptions, onTopicEvent, listInputBindings, onBindingEvent, onJobEvent } =
    AppCallback.method;
  add(server, onInvoke, handlers.onInvoke);
  add(server, listTopicSubscriptions, handlers.listTopicSubscriptions);
  add(server, onTopicEvent, handlers.onTopicEvent);
  add(server, listInputBindings, handlers.listInputBindings);
  add(server, onBindingEvent, handlers.onBindingEvent);
  add(server, onJobEvent, handlers.onJobEvent);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${wanted}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function add<I, O>(server: Server, described: DescMethod, handler: ((request: I) => O) | undefined): void {
  if (handler === undefined) {
    return;
  }
  const method = methodOf(described);
  const handle = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
    try {
      answer(null, Buffer.from(method.encodeResponse(handler(method.decodeRequest(call.request) as I) as never)));
    } catch (error) {
      answer(error as Parameters<typeof answer>[0]);
    }
  };
  const name = described.name;
  const same = (bytes: Buffer): Buffer => bytes;
  const definition = {
    path: method.path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService({ [name]: definition }, { [name]: handle as UntypedHandleCall });
}
