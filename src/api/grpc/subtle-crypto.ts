import type { CryptoBlock } from "../../blocks/crypto/crypto-block.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { subtleCalls, type SubtleMethod } from "../subtle-crypto.ts";
import type { ServiceHandlers } from "./service.ts";

/** The `Subtle…` methods of `dapr.proto.runtime.v1.Dapr`, which the released daprd leaves out. */
export function subtleCryptoHandlers(block: CryptoBlock): Pick<ServiceHandlers<typeof Dapr>, SubtleMethod> {
  const calls = subtleCalls(block);
  return {
    subtleGetKeyAlpha1: (request, call) => calls.subtleGetKeyAlpha1(request, call.cancellation),
    subtleEncryptAlpha1: (request, call) => calls.subtleEncryptAlpha1(request, call.cancellation),
    subtleDecryptAlpha1: (request, call) => calls.subtleDecryptAlpha1(request, call.cancellation),
    subtleWrapKeyAlpha1: (request, call) => calls.subtleWrapKeyAlpha1(request, call.cancellation),
    subtleUnwrapKeyAlpha1: (request, call) => calls.subtleUnwrapKeyAlpha1(request, call.cancellation),
    subtleSignAlpha1: (request, call) => calls.subtleSignAlpha1(request, call.cancellation),
    subtleVerifyAlpha1: (request, call) => calls.subtleVerifyAlpha1(request, call.cancellation),
  };
}
