import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import type { GrpcMethod } from "../../src/net/grpc/types.ts";
import { Dapr } from "../../src/wire/gen/dapr/proto/runtime/v1/dapr_pb.js";

/** The methods of `dapr.proto.runtime.v1.Dapr` by their local names. */
export const daprMethods = methodsOf(Dapr);

/** Whom TLS asks for: grpc-js takes no addresses there. Without meaning in plain text. */
export const TLS_NAME = { "grpc.ssl_target_name_override": "localhost" };

/** What a failed call ended with. */
export interface GrpcFailure {
  readonly code: number;
  readonly message: string;
  readonly metadata: Metadata;
}

/** Calls a gRPC server with grpc-js, which shares no code with the runtime. Addresses are `host:port` or `unix:<path>`. */
export class GrpcCaller {
  readonly #client: Client;

  constructor(address: string, channel = credentials.createInsecure()) {
    this.#client = new Client(address, channel, { "grpc.max_receive_message_length": -1, ...TLS_NAME });
  }

  /** @throws ServiceError of grpc-js */
  call<I, O>(method: GrpcMethod<I, O>, request: I, metadata: Readonly<Record<string, string>> = {}): Promise<O> {
    return this.#unary(method.path, Buffer.from(method.encodeRequest(request)), metadata).then((bytes) =>
      method.decodeResponse(bytes),
    );
  }

  /** The failure of a call that must fail. */
  async failure<I, O>(
    method: GrpcMethod<I, O>,
    request: I,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<GrpcFailure> {
    return await this.rawFailure(method.path, method.encodeRequest(request), metadata);
  }

  /** Sends bytes as they are. @returns the failure, or undefined for an answer */
  async tryRaw(
    path: string,
    bytes: Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<GrpcFailure | undefined> {
    try {
      await this.#unary(path, Buffer.from(bytes), metadata);
      return undefined;
    } catch (error) {
      const { code, details, metadata: trailers } = error as ServiceError;
      return { code, message: details, metadata: trailers };
    }
  }

  async rawFailure(
    path: string,
    bytes: Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<GrpcFailure> {
    const failure = await this.tryRaw(path, bytes, metadata);
    if (failure === undefined) {
      throw new Error(`${path} was answered, where a failure was expected`);
    }
    return failure;
  }

  /** A bidirectional call: sends the messages, closes its side, and gives the answers. */
  async exchange<I, O>(method: GrpcMethod<I, O>, requests: readonly I[]): Promise<O[]> {
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
    );
    for (const request of requests) {
      call.write(Buffer.from(method.encodeRequest(request)));
    }
    call.end();
    const answers: O[] = [];
    for await (const bytes of call) {
      answers.push(method.decodeResponse(bytes as Buffer));
    }
    return answers;
  }

  close(): void {
    this.#client.close();
  }

  #unary(path: string, bytes: Buffer, fields: Readonly<Record<string, string>>): Promise<Buffer> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(fields)) {
      metadata.set(name, value);
    }
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (request: Buffer) => request,
        (response) => response,
        bytes,
        metadata,
        (error, value) => (error === null ? resolve(value ?? Buffer.alloc(0)) : reject(error)),
      );
    });
  }
}
