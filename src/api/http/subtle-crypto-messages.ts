import { type DescMessage, type MessageShape, toJsonString } from "@bufbuild/protobuf";
import type { CryptoBlock } from "../../blocks/crypto/crypto-block.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { subtleCalls, type SubtleMethod } from "../subtle-crypto.ts";
import { decodeProtoJson } from "./proto-json.ts";

type SubtleRequest = MessageShape<DescMessage> & { componentName: string };

/** Answers one call in protobuf JSON, zero values left out. @throws ApiError */
export async function answerSubtleCrypto(
  block: CryptoBlock,
  method: SubtleMethod,
  componentName: string,
  body: Uint8Array,
  signal: CancelSignal,
): Promise<string> {
  const { input, output }: { readonly input: DescMessage; readonly output: DescMessage } = Dapr.method[method];
  const request = decodeProtoJson(input, body) as SubtleRequest;
  request.componentName = componentName;
  const call = subtleCalls(block)[method] as (request: SubtleRequest, signal: CancelSignal) => Promise<unknown>;
  return toJsonString(output, (await call(request, signal)) as MessageShape<DescMessage>);
}
