import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
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

/** The methods of a service that protoc-gen-es described, with protobuf-es as their codec. */
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
    encodeRequest: (message) => toBinary(input, message),
    decodeRequest: (bytes) => fromBinary(input, bytes),
    encodeResponse: (message) => toBinary(output, message),
    decodeResponse: (bytes) => fromBinary(output, bytes),
  };
  return made as MethodOf<M>;
}
