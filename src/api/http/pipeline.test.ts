import { describe, expect, it } from "vitest";
import { collectBody } from "../../app/body.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import type { MiddlewareNext, MiddlewarePipeline, MiddlewareRequest } from "../../components/spi/middleware.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import type { HttpRequest, HttpResponse } from "../../net/http/types.ts";
import { createHttpDoor } from "./door.ts";
import type { RouteHandler } from "./route.ts";

type Handle = (request: MiddlewareRequest, next: MiddlewareNext) => Promise<HttpResponse>;
const pass: Handle = (request, next) => next(request);

/** A door whose one route, `/route`, is behind one middleware; anything else is answered 299. */
function setUp(handle: Handle, route: RouteHandler, maxBodyBytes = 0) {
  const done: string[] = [];
  const pipeline: MiddlewarePipeline = { run: handle };
  const door = createHttpDoor({
    routes: [
      { methods: ["*"], path: "/route", group: { name: "state", version: "v1" }, name: "Route", handler: route },
    ],
    fallback: (exchange) => exchange.respond(299, [], exchange.target),
    apiToken: "",
    allowedOrigins: "*",
    accessRules: { allowed: [], denied: [] },
    pipeline: { pipeline, maxBodyBytes },
    observer: {
      exchangeDone: (exchange, one, path) => void done.push(`${one?.name ?? "-"} ${path} ${exchange.responseStatus}`),
      errorAnswered: () => undefined,
    },
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  const send = (request: Partial<HttpRequest> = {}): Promise<HttpResponse> =>
    callInProcess(door, { method: "POST", target: "/route", headers: [], body: new Uint8Array(0), ...request });
  return { send, done };
}

const text = async ({ body }: HttpResponse): Promise<string> => Buffer.from(await collectBody(body, 0)).toString();

describe("a door with a pipeline", () => {
  it("gives the routes the request that comes out of it, and the caller what comes back", async () => {
    const { send, done } = setUp(
      async (request, next) => {
        const response = await next({
          ...request,
          method: "PUT",
          target: "/route?a=1",
          headers: ["x-in", "1"],
          body: Buffer.from("new"),
        });
        return {
          ...response,
          status: 201,
          headers: [...response.headers, "x-out", "1", "Content-Length", "99", "connection", "close"],
        };
      },
      async (exchange) => {
        expect([exchange.method, exchange.target, exchange.header("x-in"), exchange.contentLength]).toEqual([
          "PUT",
          "/route?a=1",
          "1",
          3,
        ]);
        exchange.addResponseHeaders(["x-extra", "1"]);
        exchange.respond(200, [], Buffer.from(await exchange.readBody(0)));
      },
    );
    const response = await send({ target: "/else", headers: ["origin", "https://a.test"] });
    expect([response.status, await text(response)]).toEqual([201, "new"]);
    expect(response.headers.filter((_, index) => index % 2 === 0).toSorted()).toEqual([
      "access-control-allow-origin",
      "content-length",
      "vary",
      "x-extra",
      "x-out",
    ]);
    expect(done).toEqual(["Route /else 201"]);
  });

  it("reads a body only where somebody wants it", async () => {
    let read = false;
    const body = (async function* () {
      read = true;
      yield Buffer.from("x");
    })();
    const { send } = setUp(
      async () => ({ status: 403, headers: [], body: new Uint8Array(0) }),
      () => undefined,
    );
    expect([(await send({ body })).status, read]).toEqual([403, false]);
  });

  it("shows middlewares the errors of routes, and answers those of middlewares", async () => {
    const seen: number[] = [];
    const routeFails = setUp(
      async (request, next) => {
        const response = await next(request);
        seen.push(response.status);
        return response;
      },
      () => {
        throw apiError(commonErrors.internal, { reason: "broken" });
      },
    );
    expect([(await routeFails.send()).status, seen]).toEqual([500, [500]]);
    const middlewareFails = setUp(
      () => Promise.reject(new Error("bug")),
      () => undefined,
    );
    expect((await middlewareFails.send()).status).toBe(500);
  });

  it("holds bodies to the limit, those that a middleware has made as well", async () => {
    const route: RouteHandler = async (exchange) => exchange.respond(200, [], Buffer.from(await exchange.readBody(3)));
    expect((await setUp(pass, route, 3).send({ body: Buffer.from("four") })).status).toBe(413);
    const grown = setUp((request, next) => next({ ...request, body: Buffer.from("four") }), route, 3);
    expect((await grown.send()).status).toBe(413);
  });

  it("streams answers, and holds the route back while the caller reads slowly", async () => {
    const written: number[] = [];
    const { send } = setUp(pass, async (exchange) => {
      const writer = exchange.startResponse(200, []);
      for (let piece = 0; piece < 100; piece += 1) {
        await writer.write(Buffer.alloc(64 * 1024));
        written.push(piece);
      }
      writer.end();
    });
    const response = await send();
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(written.length).toBeLessThan(10);
    expect((await collectBody(response.body, 0)).byteLength).toBe(100 * 64 * 1024);
    expect(written).toHaveLength(100);
  });

  it("a caller who goes away is heard of by the route and by middlewares", async () => {
    const gone: string[] = [];
    const { send } = setUp(
      (request, next) => {
        request.signal?.addEventListener("abort", () => gone.push("middleware"));
        return next(request);
      },
      (exchange) => {
        exchange.onAbort(() => gone.push("route"));
        return new Promise(() => undefined);
      },
    );
    const abort = new AbortController();
    const answer = send({ signal: abort.signal });
    await nextTurn();
    abort.abort();
    await expect(answer).rejects.toThrow("aborted");
    expect(gone).toEqual(["middleware", "route"]);
  });

  it.each<[string, Handle]>([
    [
      "answers something else",
      async (request, next) => ({ ...(await next(request)), status: 502, body: Buffer.from("other") }),
    ],
    [
      "fails",
      async (request, next) => {
        await next(request);
        throw new Error("bug");
      },
    ],
  ])("a route is not left with a streamed answer that nobody reads where a middleware %s", async (_, handle) => {
    const ended = Promise.withResolvers<unknown>();
    const { send } = setUp(handle, async (exchange) => {
      const writer = exchange.startResponse(200, []);
      const gone: string[] = [];
      exchange.onAbort(() => gone.push("told"));
      try {
        for (let piece = 0; piece < 100; piece += 1) await writer.write(Buffer.alloc(64 * 1024));
        ended.resolve("written");
      } catch (error) {
        ended.resolve([(error as Error).name, ...gone]);
      }
    });
    expect((await send()).status).toBeGreaterThanOrEqual(500);
    expect(await ended.promise).toEqual(["PeerGoneError", "told"]);
  });

  it("nothing is begun for a caller who goes away while a middleware thinks", async () => {
    const decision = Promise.withResolvers<void>();
    const over = Promise.withResolvers<unknown>();
    let routed = false;
    const { send } = setUp(
      async (request, next) => {
        await decision.promise;
        return await next(request).catch((error: unknown) => {
          over.resolve(error);
          throw error;
        });
      },
      (exchange) => {
        routed = true;
        exchange.respond(200, []);
        over.resolve(undefined);
      },
    );
    const abort = new AbortController();
    const answer = send({ signal: abort.signal });
    await nextTurn();
    abort.abort();
    await expect(answer).rejects.toThrow("aborted");
    decision.resolve();
    expect([await over.promise, routed]).toMatchObject([{ name: "PeerGoneError" }, false]);
  });

  it("an answer that breaks off breaks off for the caller", async () => {
    const { send } = setUp(pass, async (exchange) => {
      const writer = exchange.startResponse(200, []);
      await writer.write(Buffer.from("some"));
      writer.abort();
    });
    await expect(text(await send())).rejects.toThrow("cut off");
  });

  it("answers to HEAD have no body", async () => {
    const { send } = setUp(pass, (exchange) => exchange.respond(200, ["x-a", "1"], "body"));
    const response = await send({ method: "HEAD" });
    expect([await text(response), response.headers]).toEqual(["", expect.arrayContaining(["x-a", "1"])]);
  });
});
