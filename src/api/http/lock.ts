import { create, type DescMessage, fromJsonString, type MessageShape } from "@bufbuild/protobuf";
import type { LockBlock } from "../../blocks/lock/lock-block.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { TryLockRequestSchema, UnlockRequestSchema } from "../../wire/gen/dapr/proto/runtime/v1/lock_pb.js";
import { unlockStatusNumber } from "../unlock-status.ts";
import { respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

export interface LockRoutesOptions {
  /** Bytes of a request body; 0: no limit. */
  readonly maxBodyBytes: number;
}

/** Routes 24 and 25 of the HTTP API: protobuf JSON whose zero fields are written out. */
export function lockRoutes(block: LockBlock, { maxBodyBytes }: LockRoutesOptions): Route[] {
  return [
    {
      methods: ["POST"],
      path: "/v1.0-alpha1/lock/:store",
      group: { name: "lock", version: "v1alpha1" },
      name: "TryLock",
      async handler(exchange, params) {
        const { resourceId, lockOwner, expiryInSeconds } = await readMessage(
          exchange,
          TryLockRequestSchema,
          maxBodyBytes,
        );
        const success = await block.tryLock({
          store: params["store"] ?? "",
          resourceId,
          owner: lockOwner,
          expirySeconds: expiryInSeconds,
        });
        respondJson(exchange, 200, JSON.stringify({ success }));
      },
    },
    {
      methods: ["POST"],
      path: "/v1.0-alpha1/unlock/:store",
      group: { name: "unlock", version: "v1alpha1" },
      name: "Unlock",
      async handler(exchange, params) {
        const { resourceId, lockOwner } = await readMessage(exchange, UnlockRequestSchema, maxBodyBytes);
        const status = await block.unlock({ store: params["store"] ?? "", resourceId, owner: lockOwner });
        respondJson(exchange, 200, JSON.stringify({ status: unlockStatusNumber(status) }));
      },
    },
  ];
}

/** An empty body is an empty message, as in Dapr. */
async function readMessage<D extends DescMessage>(
  exchange: HttpExchange,
  schema: D,
  maxBodyBytes: number,
): Promise<MessageShape<D>> {
  const body = await exchange.readBody(maxBodyBytes);
  if (body.byteLength === 0) {
    return create(schema);
  }
  try {
    return fromJsonString(schema, Buffer.from(body).toString(), { ignoreUnknownFields: true });
  } catch (cause) {
    throw apiError(commonErrors.malformedRequest, { reason: errorMessage(cause) }, { cause });
  }
}
