import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { messageCodecs } from "../../wire/codecs/message-codecs.ts";
import type { GrpcMethod } from "./types.ts";

/** A protobuf method as a GrpcMethod that still knows its kind. */
export type MethodOf<M> = M extends {
  methodKind: infer Kind extends DescMethod["methodKind"];
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? GrpcMethod<MessageShape<I>, MessageShape<O>> & { readonly kind: Kind }
  : never;

/** The methods of a protobuf service by their local (lower camel case) names. */
export type MethodsOf<S extends DescService> = { readonly [K in keyof S["method"]]: MethodOf<S["method"][K]> };

/** The methods of a service that protoc-gen-es described, with our own codecs where there are any, otherwise protobuf-es. */
export function methodsOf<S extends DescService>(service: S): MethodsOf<S> {
  const methods: Record<string, unknown> = {};
  for (const method of service.methods) methods[method.localName] = methodOf(method);
  return methods as MethodsOf<S>;
}

/** One method of a service, for instance with a codec exchanged by spreading: `{ ...methodOf(m), decodeRequest }`. */
export function methodOf<M extends DescMethod>(method: M): MethodOf<M> {
  const { input, output } = method;
  const made: GrpcMethod<MessageShape<DescMessage>, MessageShape<DescMessage>> = {
    path: `/${method.parent.typeName}/${method.name}`,
    kind: method.methodKind,
    encodeRequest: encoderOf(input),
    decodeRequest: decoderOf(input),
    encodeResponse: encoderOf(output),
    decodeResponse: decoderOf(output),
  };
  return made as MethodOf<M>;
}

type AnyMessage = MessageShape<DescMessage>;

function encoderOf(schema: DescMessage): (message: AnyMessage) => Uint8Array {
  const encode = messageCodecs.get(schema.typeName)?.encode as ((message: AnyMessage) => Uint8Array) | undefined;
  return encode ?? ((message) => toBinary(schema, message));
}

function decoderOf(schema: DescMessage): (bytes: Uint8Array) => AnyMessage {
  return messageCodecs.get(schema.typeName)?.decode ?? ((bytes) => fromBinary(schema, bytes));
}
