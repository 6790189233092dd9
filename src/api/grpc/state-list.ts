import type { StateBlock } from "../../blocks/state/state-block.ts";
import type { BulkGetResult } from "../../blocks/state/types.ts";
import type { ListedItem, State } from "../../wire/gen/outrigger/v1/state_pb.js";
import type { ServiceHandlers } from "./service.ts";

const NO_BYTES = new Uint8Array(0);
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/** `outrigger.v1.State`: our own addition to the state API. */
export function stateListHandlers(block: StateBlock): ServiceHandlers<typeof State> {
  return {
    async listState({ storeName, prefix, pageSize, token, includeValues, metadata }) {
      const size = pageSize === 0 ? undefined : pageSize;
      const page = await block.list({ store: storeName, prefix, pageSize: size, token, includeValues, metadata });
      return {
        $typeName: "outrigger.v1.ListStateResponse",
        items: page.items.map(listedItem),
        token: page.token ?? "",
      };
    },
  };
}

function listedItem({ key, item, error }: BulkGetResult): ListedItem {
  return {
    $typeName: "outrigger.v1.ListedItem",
    key,
    value: item?.data ?? NO_BYTES,
    etag: item?.etag ?? "",
    metadata: item?.metadata ?? NO_METADATA,
    error: error ?? "",
  };
}
