import type { CryptoBlock } from "../blocks/crypto/crypto-block.ts";
import type { PublicKeyFormat } from "../blocks/crypto/types.ts";
import { commonErrors } from "../errors/catalogue/common.ts";
import { apiError } from "../errors/error.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { Dapr } from "../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import type { MessageShape } from "@bufbuild/protobuf";

type Methods = typeof Dapr.method;

/** The RPCs that work on single keys and small messages. */
export type SubtleMethod =
  | "subtleGetKeyAlpha1"
  | "subtleEncryptAlpha1"
  | "subtleDecryptAlpha1"
  | "subtleWrapKeyAlpha1"
  | "subtleUnwrapKeyAlpha1"
  | "subtleSignAlpha1"
  | "subtleVerifyAlpha1";

export type SubtleCalls = {
  readonly [M in SubtleMethod]: (
    request: MessageShape<Methods[M]["input"]>,
    signal: CancelSignal,
  ) => Promise<MessageShape<Methods[M]["output"]>>;
};

/** By `SubtleGetKeyRequest.KeyFormat`. */
const FORMATS: readonly PublicKeyFormat[] = ["pem", "json"];

/** The messages of both doors in terms of the block. */
export function subtleCalls(block: CryptoBlock): SubtleCalls {
  return {
    async subtleGetKeyAlpha1({ componentName, name, format }, signal) {
      const operations = block.provider(componentName);
      const asked = FORMATS[format];
      if (asked === undefined) {
        throw apiError(commonErrors.badRequest, { reason: "invalid key format" });
      }
      const key = await operations.getKey(name, asked, signal);
      return { $typeName: "dapr.proto.runtime.v1.SubtleGetKeyResponse", ...key };
    },
    async subtleEncryptAlpha1({ componentName, ...request }, signal) {
      const sealed = await block.provider(componentName).encryptMessage({ ...request, signal });
      return { $typeName: "dapr.proto.runtime.v1.SubtleEncryptResponse", ...sealed };
    },
    async subtleDecryptAlpha1({ componentName, ...request }, signal) {
      const plaintext = await block.provider(componentName).decryptMessage({ ...request, signal });
      return { $typeName: "dapr.proto.runtime.v1.SubtleDecryptResponse", plaintext };
    },
    async subtleWrapKeyAlpha1({ componentName, plaintextKey, ...request }, signal) {
      const sealed = await block.provider(componentName).wrapKey({ ...request, plaintext: plaintextKey, signal });
      const { ciphertext: wrappedKey, tag } = sealed;
      return { $typeName: "dapr.proto.runtime.v1.SubtleWrapKeyResponse", wrappedKey, tag };
    },
    async subtleUnwrapKeyAlpha1({ componentName, wrappedKey, ...request }, signal) {
      const operations = block.provider(componentName);
      const plaintextKey = await operations.unwrapKey({ ...request, ciphertext: wrappedKey, signal });
      return { $typeName: "dapr.proto.runtime.v1.SubtleUnwrapKeyResponse", plaintextKey };
    },
    async subtleSignAlpha1({ componentName, ...request }, signal) {
      const signature = await block.provider(componentName).sign({ ...request, signal });
      return { $typeName: "dapr.proto.runtime.v1.SubtleSignResponse", signature };
    },
    async subtleVerifyAlpha1({ componentName, ...request }, signal) {
      const valid = await block.provider(componentName).verify({ ...request, signal });
      return { $typeName: "dapr.proto.runtime.v1.SubtleVerifyResponse", valid };
    },
  };
}
