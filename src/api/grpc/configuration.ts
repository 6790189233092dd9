import type { ConfigurationBlock } from "../../blocks/configuration/configuration-block.ts";
import type { ConfigurationItems } from "../../components/spi/configuration.ts";
import { configurationErrors } from "../../errors/catalogue/configuration.ts";
import { ApiError } from "../../errors/error.ts";
import type { Logger } from "../../kit/logger.ts";
import type { ServerStreamingHandler, UnaryHandler } from "../../net/grpc/types.ts";
import type { ConfigurationItem } from "../../wire/gen/dapr/proto/common/v1/common_pb.js";
import type {
  GetConfigurationRequest,
  GetConfigurationResponse,
  SubscribeConfigurationRequest,
  SubscribeConfigurationResponse,
  UnsubscribeConfigurationRequest,
  UnsubscribeConfigurationResponse,
} from "../../wire/gen/dapr/proto/runtime/v1/configuration_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { namedError } from "./named-errors.ts";
import type { ServiceHandlers } from "./service.ts";

type ConfigurationMethod =
  | "getConfiguration"
  | "getConfigurationAlpha1"
  | "subscribeConfiguration"
  | "subscribeConfigurationAlpha1"
  | "unsubscribeConfiguration"
  | "unsubscribeConfigurationAlpha1";

type Message = Record<string, ConfigurationItem>;

/** The configuration methods of `dapr.proto.runtime.v1.Dapr`, each with its older twin. */
export function configurationHandlers(
  block: ConfigurationBlock,
  logger: Logger,
): Pick<ServiceHandlers<typeof Dapr>, ConfigurationMethod> {
  const get: UnaryHandler<GetConfigurationRequest, GetConfigurationResponse> = async ({
    storeName,
    keys,
    metadata,
  }) => {
    try {
      const items = await block.get({ store: storeName, keys, metadata });
      return { $typeName: "dapr.proto.runtime.v1.GetConfigurationResponse", items: itemsMessage(items) };
    } catch (error) {
      throw namedError(error);
    }
  };
  const subscribe: ServerStreamingHandler<SubscribeConfigurationRequest, SubscribeConfigurationResponse> = (
    request,
    call,
  ) => serveSubscription(block, request, call.signal);
  const unsubscribe: UnaryHandler<UnsubscribeConfigurationRequest, UnsubscribeConfigurationResponse> = async ({
    id,
  }) => {
    const answer = await unsubscribeById(block, id);
    if (answer.ok) {
      logger.warn(
        "Unsubscribing using UnsubscribeConfiguration is deprecated. Disconnect from the SubscribeConfiguration RPC instead.",
      );
    }
    return answer;
  };
  return {
    getConfiguration: get,
    getConfigurationAlpha1: get,
    subscribeConfiguration: subscribe,
    subscribeConfigurationAlpha1: subscribe,
    unsubscribeConfiguration: unsubscribe,
    unsubscribeConfigurationAlpha1: unsubscribe,
  };
}

/** The first message carries the id alone; the stream ends when somebody unsubscribes, the store goes, or the sidecar stops. */
async function* serveSubscription(
  block: ConfigurationBlock,
  { storeName, keys, metadata }: SubscribeConfigurationRequest,
  signal: AbortSignal,
): AsyncGenerator<SubscribeConfigurationResponse> {
  let subscription;
  try {
    subscription = await block.subscribe({ store: storeName, keys: keys.toSorted(), metadata });
  } catch (error) {
    throw namedError(error);
  }
  const { id, updates } = subscription;
  const close = (): void => void subscription.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    if (signal.aborted) {
      return;
    }
    yield updateMessage(id, {});
    for await (const items of updates) {
      yield updateMessage(id, itemsMessage(items));
    }
  } finally {
    signal.removeEventListener("abort", close);
    await subscription.close();
  }
}

async function unsubscribeById(block: ConfigurationBlock, id: string): Promise<UnsubscribeConfigurationResponse> {
  const $typeName = "dapr.proto.runtime.v1.UnsubscribeConfigurationResponse";
  try {
    await block.unsubscribe(undefined, id);
    return { $typeName, ok: true, message: "" };
  } catch (error) {
    if (error instanceof ApiError && error.entry === configurationErrors.unsubscribe) {
      return { $typeName, ok: false, message: error.message };
    }
    throw error;
  }
}

function updateMessage(id: string, items: Message): SubscribeConfigurationResponse {
  return { $typeName: "dapr.proto.runtime.v1.SubscribeConfigurationResponse", id, items };
}

function itemsMessage(items: ConfigurationItems): Message {
  return Object.fromEntries(
    Object.entries(items).map(([key, { value, version, metadata }]) => [
      key,
      { $typeName: "dapr.proto.common.v1.ConfigurationItem", value, version, metadata },
    ]),
  );
}
