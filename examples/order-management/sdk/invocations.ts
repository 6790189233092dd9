import { type DaprClient, type DaprInvokerCallbackContent, type DaprServer, HttpMethod } from "@dapr/dapr";
import type { z } from "zod";
import { PeerError } from "./peer-error.ts";
import { reasonOf } from "./reason.ts";

/**
 * Answers a method. What a caller must know goes into the answer; a failure is printed here. The SDK's HTTP server does
 * not survive a handler that throws: a failure is answered with something that no schema of an answer takes.
 */
export async function answer<Request>(
  server: DaprServer,
  method: string,
  schema: z.ZodType<Request>,
  handle: (request: Request) => Promise<object>,
): Promise<void> {
  const handler = async ({ body }: DaprInvokerCallbackContent): Promise<object> => {
    try {
      return await handle(schema.parse(JSON.parse(body ?? "")));
    } catch (error) {
      console.error(`${method} failed: ${reasonOf(error)}`);
      return { failed: method };
    }
  };
  await server.invoker.listen(method, handler, { method: HttpMethod.POST });
}

/**
 * Calls a method of another app through the sidecar.
 * @throws PeerError
 */
export async function call<Answer>(
  client: DaprClient,
  app: string,
  method: string,
  request: object,
  schema: z.ZodType<Answer>,
): Promise<Answer> {
  try {
    return schema.parse(await client.invoker.invoke(app, method, HttpMethod.POST, request));
  } catch (error) {
    throw new PeerError(`${app} did not answer to ${method}`, error);
  }
}
