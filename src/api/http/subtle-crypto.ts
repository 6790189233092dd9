import { callerSignal } from "./caller-signal.ts";
import type { CryptoBlock } from "../../blocks/crypto/crypto-block.ts";
import type { SubtleMethod } from "../subtle-crypto.ts";
import { respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

export interface SubtleCryptoRoutesOptions {
  /** Bytes of a request body; 0: no limit. */
  readonly maxBodyBytes: number;
}

/** The last segment of a path, the method behind it, and the operation's name. */
const OPERATIONS: readonly (readonly [path: string, method: SubtleMethod, name: string])[] = [
  ["getkey", "subtleGetKeyAlpha1", "SubtleGetKey"],
  ["encrypt", "subtleEncryptAlpha1", "SubtleEncrypt"],
  ["decrypt", "subtleDecryptAlpha1", "SubtleDecrypt"],
  ["wrapkey", "subtleWrapKeyAlpha1", "SubtleWrapKey"],
  ["unwrapkey", "subtleUnwrapKeyAlpha1", "SubtleUnwrapKey"],
  ["sign", "subtleSignAlpha1", "SubtleSign"],
  ["verify", "subtleVerifyAlpha1", "SubtleVerify"],
];

/** Route group 28 of the HTTP API: protobuf JSON. The released daprd answers 501 here; these are the operations of its API. */
export function subtleCryptoRoutes(block: CryptoBlock, { maxBodyBytes }: SubtleCryptoRoutesOptions): Route[] {
  return OPERATIONS.map(([path, method, name]) => ({
    methods: ["POST"],
    path: `/v1.0-alpha1/subtlecrypto/:name/${path}`,
    group: { name: "subtlecrypto", version: "v1alpha1" },
    name,
    async handler(exchange, params) {
      const [{ answerSubtleCrypto }, body] = await Promise.all([messages(), exchange.readBody(maxBodyBytes)]);
      const signal = callerSignal(exchange);
      respondJson(exchange, 200, await answerSubtleCrypto(block, method, params["name"] ?? "", body, signal));
    },
  }));
}

/** Protobuf is loaded with the first call. */
function messages(): Promise<typeof import("./subtle-crypto-messages.ts")> {
  return import("./subtle-crypto-messages.ts");
}
