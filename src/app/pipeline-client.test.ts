import { describe, expect, it } from "vitest";
import type { MiddlewareNext, MiddlewareRequest } from "../components/spi/middleware.ts";
import type { HttpClient, HttpResponse } from "../net/http/types.ts";
import { bodyPrefix } from "./body.ts";
import { PipelineClient } from "./pipeline-client.ts";

type Handle = (request: MiddlewareRequest, next: MiddlewareNext) => Promise<HttpResponse>;

/** A client behind one middleware, of a server that streams `streamed`; `freed` tells when nobody reads that any more. */
function setUp(handle: Handle) {
  let freed = false;
  const body: AsyncIterableIterator<Uint8Array> = {
    next: async () => ({ done: false, value: Buffer.from("streamed") }),
    async return() {
      freed = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => body,
  };
  const server: HttpClient = { request: async () => ({ status: 200, headers: [], body }), close: async () => {} };
  const client = new PipelineClient(server, { run: handle }, 0);
  const ask = () => client.request({ method: "GET", target: "/", headers: [], body: new Uint8Array(0) });
  return { ask, isFreed: () => freed };
}

describe("an answer of the app that is streamed", () => {
  it("reaches the caller through middlewares that pass it on", async () => {
    const { ask, isFreed } = setUp((request, next) => next(request));
    const { body } = await ask();
    expect(isFreed()).toBe(false);
    expect(Buffer.from(await bodyPrefix(body, 8)).toString()).toBe("streamed");
    expect(isFreed()).toBe(true);
  });

  it("is given up where a middleware answers something else", async () => {
    const { ask, isFreed } = setUp(async (request, next) => ({ ...(await next(request)), body: Buffer.from("other") }));
    expect((await ask()).body).toEqual(Buffer.from("other"));
    expect(isFreed()).toBe(true);
  });

  it("is given up where a middleware fails", async () => {
    const { ask, isFreed } = setUp(async (request, next) => {
      await next(request);
      throw new Error("bug");
    });
    await expect(ask()).rejects.toThrow("bug");
    expect(isFreed()).toBe(true);
  });
});
