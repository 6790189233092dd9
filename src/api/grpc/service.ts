import type { DescMessage, DescService, MessageShape } from "@bufbuild/protobuf";
import type {
  BidiHandler,
  ClientStreamingHandler,
  ServerStreamingHandler,
  UnaryHandler,
} from "../../net/grpc/types.ts";

/** The handlers of a protobuf service by method name (lower camel case), each of its own kind. */
export type ServiceHandlers<S extends DescService> = {
  [K in keyof S["method"]]: HandlerOf<S["method"][K]>;
};

type HandlerOf<M> = M extends {
  methodKind: infer Kind;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? Kind extends "unary"
    ? UnaryHandler<MessageShape<I>, MessageShape<O>>
    : Kind extends "server_streaming"
      ? ServerStreamingHandler<MessageShape<I>, MessageShape<O>>
      : Kind extends "client_streaming"
        ? ClientStreamingHandler<MessageShape<I>, MessageShape<O>>
        : BidiHandler<MessageShape<I>, MessageShape<O>>
  : never;
