import type { AppChannel } from "../../app/types.ts";
import type { ConfigurationItem, ConfigurationItems } from "../../components/spi/configuration.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { guarded } from "../component-policy.ts";
import type { ConfigurationUpdates } from "./configuration-block.ts";

/** Passes a subscription's updates on to the app until it ends: `POST /configuration/{store}/{key}` for each key, in order. */
export async function tellApp(
  store: string,
  subscription: ConfigurationUpdates,
  channel: AppChannel,
  logger: Logger,
): Promise<void> {
  for await (const items of subscription.updates) {
    const body = Buffer.from(JSON.stringify({ id: subscription.id, items: itemsBody(items) }));
    for (const key of Object.keys(items)) {
      try {
        const method = `configuration/${store}/${key}`;
        await guarded(subscription.policy, (signal) => tellOne(channel, method, body, signal));
      } catch (error) {
        logger.error(`error sending configuration item to the app: ${errorMessage(error)}`);
      }
    }
  }
}

/** Items in the JSON of Dapr's API: empty fields are left out. */
export function itemsBody(items: ConfigurationItems): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(items).map(([key, item]) => [key, itemBody(item)]));
}

function itemBody({ value, version, metadata }: ConfigurationItem): unknown {
  return {
    value: value === "" ? undefined : value,
    version: version === "" ? undefined : version,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
  };
}

async function tellOne(channel: AppChannel, method: string, body: Uint8Array, signal: CancelSignal): Promise<void> {
  const reply = await channel.invoke({
    method,
    verb: "POST",
    query: "",
    headers: [],
    origin: "http",
    contentType: "application/json",
    body,
    signal,
  });
  const { status } = reply;
  if (!(reply.body instanceof Uint8Array)) {
    await reply.body[Symbol.asyncIterator]().return?.();
  }
  if (status.kind === "http" ? status.code !== 200 : status.code !== 0) {
    throw new Error(`error sending configuration item to application, status ${status.code}`);
  }
}
