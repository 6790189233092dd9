import { HttpMethod, type DaprServer } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf, PROTOCOLS } from "./dapr-js.ts";
import { type PairSystem, startPairSystem } from "./dapr-js-system.ts";

const VERBS = Object.values(HttpMethod);
const BODY = { item: "Stuhl 🪑", count: 2 };
const LARGE = 3 * 1024 * 1024;

const cases = PROTOCOLS.flatMap((protocol) => PROTOCOLS.map((serverProtocol) => ({ protocol, serverProtocol })));

async function listen({ orders, stock }: { readonly orders: DaprServer; readonly stock: DaprServer }): Promise<void> {
  for (const method of VERBS) {
    await stock.invoker.listen("verb", async ({ body }) => ({ method, body: parsed(body) }), { method });
  }
  await stock.invoker.listen("items/chair/level", async () => ({ level: 12 }));
  await stock.invoker.listen("request", async ({ query, headers, metadata }) => ({ query, headers, metadata }));
  await stock.invoker.listen("length", async ({ body }) => ({ length: parsed(body)?.text?.length }), {
    method: HttpMethod.POST,
  });
  await stock.invoker.listen("nothing", async () => undefined);
  await stock.invoker.listen("chain", async () => ({
    orders: await stock.client.invoker.invoke("orders", "own", HttpMethod.GET),
  }));
  await orders.invoker.listen("own", async () => ({ app: "orders" }));
}

/** The SDK's servers hand a body over as JSON text. */
function parsed(body: string | undefined): { readonly text?: string } | undefined {
  return body === undefined ? undefined : (JSON.parse(body) as { readonly text?: string });
}

describe.each(cases)(
  "invocation through the official SDK over $protocol, to an app over $serverProtocol",
  ({ protocol, serverProtocol }) => {
    let system: PairSystem;
    beforeAll(async () => {
      system = await startPairSystem({ protocol, serverProtocol, prepare: listen });
    });
    afterAll(() => system.stop());

    it.each(VERBS)("calls another app with the verb %s and a body", async (method) => {
      const call = system.client.invoker.invoke("stock", "verb", method, BODY);
      if (protocol === "http" && method === HttpMethod.GET) {
        // The SDK's own refusal: nothing is sent.
        await expect(call).rejects.toThrow(/GET\/HEAD method cannot have body/);
      } else {
        expect(await call).toEqual({ method, body: BODY });
      }
    });

    it("calls a method with a path, without a body", async () => {
      expect(await system.client.invoker.invoke("stock", "items/chair/level", HttpMethod.GET)).toEqual({ level: 12 });
    });

    it("calls the sidecar's own app, and back from the other", async () => {
      expect(await system.client.invoker.invoke("orders", "own", HttpMethod.GET)).toEqual({ app: "orders" });
      expect(await system.client.invoker.invoke("stock", "chain", HttpMethod.GET)).toEqual({
        orders: { app: "orders" },
      });
    });

    it("passes query and headers on", async () => {
      const call = system.client.invoker.invoke("stock", "request?item=chair&n=1", HttpMethod.GET, undefined, {
        headers: { "x-channel": "web" },
      });
      if (protocol === "grpc") {
        // The SDK makes the query part of the method's name, and leaves the headers out.
        await expect(call).rejects.toThrow(/method contains forbidden character/);
      } else if (serverProtocol === "grpc") {
        expect(await call).toMatchObject({ query: "item=chair&n=1" });
      } else {
        expect(await call).toMatchObject({
          query: "/request?item=chair&n=1",
          headers: { "x-channel": "web", "dapr-caller-app-id": "orders", "dapr-callee-app-id": "stock" },
        });
      }
    });

    it("passes a large body on", async () => {
      const text = "x".repeat(LARGE);
      const answer = await system.client.invoker.invoke("stock", "length", HttpMethod.POST, { text });
      expect(answer).toEqual({ length: LARGE });
    });

    // An SDK server says over gRPC neither that it has no such method nor that there is no answer, and an SDK client over
    // gRPC takes no answer for one that it cannot read.
    it("answers where the handler answers nothing", async () => {
      const call = system.client.invoker.invoke("stock", "nothing", HttpMethod.GET);
      if (serverProtocol === "http") {
        expect(await call).toEqual({ closed: true });
      } else if (protocol === "http") {
        expect(await call).toBe("");
      } else {
        await expect(call).rejects.toThrow(/COULD_NOT_PARSE_RESULT/);
      }
    });

    it("tells of a method that the app does not have", async () => {
      const call = system.client.invoker.invoke("stock", "unknown", HttpMethod.GET);
      if (serverProtocol === "http") {
        expect(await failureOf(call)).toMatch(protocol === "http" ? /"status":404/ : /^\[not_found\] Not Found$/);
      } else if (protocol === "http") {
        expect(await call).toBe("");
      } else {
        await expect(call).rejects.toThrow(/COULD_NOT_PARSE_RESULT/);
      }
    });

    it("tells of an app that nobody knows", async () => {
      const call = system.client.invoker.invoke("nobody", "level", HttpMethod.GET);
      expect(await failureOf(call)).toMatch(/failed to invoke, id: nobody/);
    });
  },
);
