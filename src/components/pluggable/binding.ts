import { create } from "@bufbuild/protobuf";
import { errorMessage } from "../../kit/error-message.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import {
  InputBinding as InputService,
  InputBindingInitRequestSchema,
  InvokeRequestSchema,
  ListOperationsRequestSchema,
  OutputBinding as OutputService,
  OutputBindingInitRequestSchema,
  type ReadRequest,
  ReadRequestSchema,
  type ReadResponse,
} from "../../wire/gen/dapr/proto/components/v1/bindings_pb.js";
import { allowsDirection } from "../spi/binding-direction.ts";
import type { Binding, BindingHandler, BindingReading, BindingRequest, BindingResponse } from "../spi/bindings.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { ComponentConnection, type ComponentSocket, type InitCall } from "./connection.ts";
import { CALL_MS_MAX, HANDLED_AT_ONCE_MAX } from "./limits.ts";
import { LiveStream } from "./live-stream.ts";
import { statusError } from "./status-error.ts";

const INPUT = methodsOf(InputService);
const OUTPUT = methodsOf(OutputService);

/** A factory of bindings behind one socket, of either direction or both. */
export function pluggableBinding(socket: ComponentSocket): (deps: ComponentDeps) => Binding {
  return (deps) => new PluggableBinding(socket, deps);
}

type ReadStream = LiveStream<ReadRequest, ReadResponse>;

/** `bindings.<socket name>`. Only the directions that the resource allows are initialised. */
class PluggableBinding implements Binding {
  operations?: readonly string[];
  invoke?: NonNullable<Binding["invoke"]>;
  read?: NonNullable<Binding["read"]>;
  readonly #socket: ComponentSocket;
  readonly #deps: ComponentDeps;
  readonly #connection: ComponentConnection;
  readonly #streams = new Set<ReadStream>();

  constructor(socket: ComponentSocket, deps: ComponentDeps) {
    this.#socket = socket;
    this.#deps = deps;
    const isInput = socket.services.has(InputService.typeName);
    this.#connection = new ComponentConnection(socket, deps, isInput ? INPUT.ping : OUTPUT.ping);
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const { services } = this.#socket;
    const isInput = services.has(InputService.typeName) && allowsDirection(metadata, "input");
    const isOutput = services.has(OutputService.typeName) && allowsDirection(metadata, "output");
    await this.#connection.open(async (call) => {
      if (isInput) {
        await call(INPUT.init, create(InputBindingInitRequestSchema, { metadata: { properties: metadata } }));
      }
      if (isOutput) {
        await this.#initOutput(call, metadata);
      }
    }, signal);
    if (isInput) {
      this.read = (handler) => this.#read(handler);
    }
    if (isOutput) {
      this.invoke = (request, invokeSignal) => this.#invoke(request, invokeSignal);
    }
  }

  async close(): Promise<void> {
    const streams = [...this.#streams].map((stream) => stream.close());
    await this.#connection.close();
    await Promise.all(streams);
  }

  async #initOutput(call: InitCall, metadata: ComponentMetadata): Promise<void> {
    await call(OUTPUT.init, create(OutputBindingInitRequestSchema, { metadata: { properties: metadata } }));
    this.operations = (await call(OUTPUT.listOperations, create(ListOperationsRequestSchema))).operations;
  }

  async #invoke({ operation, data, metadata }: BindingRequest, signal?: AbortSignal): Promise<BindingResponse> {
    const request = create(InvokeRequestSchema, { operation, data, metadata });
    try {
      const answer = await this.#connection.unary(OUTPUT.invoke, request, { timeoutMs: CALL_MS_MAX, signal });
      return {
        data: answer.data,
        metadata: answer.metadata,
        contentType: answer.contentType === "" ? undefined : answer.contentType,
      };
    } catch (error) {
      throw statusError(error);
    }
  }

  async #read(handler: BindingHandler): Promise<BindingReading> {
    const stream = this.#streamOf(handler);
    try {
      await stream.start();
    } catch (error) {
      const reason = statusError(error);
      throw new ComponentError("unavailable", `unable to read from binding: ${errorMessage(reason)}`, {
        cause: reason,
      });
    }
    this.#streams.add(stream);
    return {
      close: async () => {
        await stream.close();
        this.#streams.delete(stream);
      },
    };
  }

  #streamOf(handler: BindingHandler): ReadStream {
    const { logger, name } = this.#deps;
    const stream: ReadStream = new LiveStream({
      connection: this.#connection,
      deps: this.#deps,
      method: INPUT.read,
      opening: undefined,
      what: `binding ${name}`,
      failureText: "failed to receive binding message",
      parallel: HANDLED_AT_ONCE_MAX,
      handle: async ({ messageId, data, metadata, contentType }, signal) => {
        try {
          const event = { data, metadata, contentType: contentType === "" ? undefined : contentType };
          const responseData = (await handler(event, signal)) ?? EMPTY;
          return create(ReadRequestSchema, { messageId, responseData });
        } catch (error) {
          logger.error(`error when handling message for message: ${messageId}`);
          return stream.closing
            ? undefined
            : create(ReadRequestSchema, { messageId, responseError: { message: errorMessage(error) } });
        }
      },
      onUnsettled: ({ messageId }) => logger.error(`error when ack'ing message ${messageId}: its stream is gone`),
    });
    return stream;
  }
}

const EMPTY = new Uint8Array(0);
