import type { LockBlock } from "../../blocks/lock/lock-block.ts";
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
        const [{ decodeTryLock }, body] = await Promise.all([messages(), exchange.readBody(maxBodyBytes)]);
        const { resourceId, lockOwner, expiryInSeconds } = decodeTryLock(body);
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
        const [{ decodeUnlock }, body] = await Promise.all([messages(), exchange.readBody(maxBodyBytes)]);
        const { resourceId, lockOwner } = decodeUnlock(body);
        const status = await block.unlock({ store: params["store"] ?? "", resourceId, owner: lockOwner });
        respondJson(exchange, 200, JSON.stringify({ status: unlockStatusNumber(status) }));
      },
    },
  ];
}

/** Protobuf is loaded with the first lock. */
function messages(): Promise<typeof import("./lock-messages.ts")> {
  return import("./lock-messages.ts");
}
