import { type DaprClient, DaprPubSubStatusEnum, type DaprServer } from "@dapr/dapr";
import { z } from "zod";
import { COMPONENTS } from "../model/names.ts";
import { PeerError } from "./peer-error.ts";
import { reasonOf } from "./reason.ts";
import { inTraceOf, type TraceHeaders } from "./trace.ts";

/**
 * Hears of a topic. A message whose handler throws comes again; one that is not what the topic carries is dropped, since
 * it would be the same the next time. The SDK acknowledges whatever throws, so each outcome has to be said.
 */
export async function hear<Message>(
  server: DaprServer,
  topic: string,
  schema: z.ZodType<Message>,
  handle: (message: Message) => Promise<void>,
): Promise<void> {
  const hearOne = async (data: unknown): Promise<DaprPubSubStatusEnum> => {
    const message = schema.safeParse(data);
    if (!message.success) {
      console.error(`dropped a message on ${topic}: ${z.prettifyError(message.error)}`);
      return DaprPubSubStatusEnum.DROP;
    }
    try {
      await handle(message.data);
      return DaprPubSubStatusEnum.SUCCESS;
    } catch (error) {
      console.error(`a message on ${topic} must come again: ${reasonOf(error)}`);
      return DaprPubSubStatusEnum.RETRY;
    }
  };
  await server.pubsub.subscribe(
    COMPONENTS.pubsub,
    topic,
    async (data: unknown, headers) => await inTraceOf(headers as TraceHeaders, async () => await hearOne(data)),
  );
}

/**
 * Sends a message; it has been kept by the broker when this resolves.
 * @throws PeerError
 */
export async function tell(client: DaprClient, topic: string, message: object): Promise<void> {
  let failure: unknown;
  try {
    // Over HTTP the SDK answers with the error, over gRPC it throws an object around it.
    failure = (await client.pubsub.publish(COMPONENTS.pubsub, topic, message)).error;
  } catch (thrown) {
    failure = thrown instanceof Error ? thrown : errorIn(thrown);
  }
  if (failure === undefined) return;
  throw new PeerError(`could not publish on ${topic}`, failure);
}

function errorIn(thrown: unknown): unknown {
  return typeof thrown === "object" && thrown !== null && "error" in thrown ? thrown.error : thrown;
}
