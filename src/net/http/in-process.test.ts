import { expect, test } from "vitest";
import { BodyTooLargeError } from "./errors.ts";
import { callInProcess } from "./in-process.ts";
import type { Body, HttpRequest } from "./types.ts";

function request(more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "POST", target: "/t?q=1", headers: ["X-One", "1"], body: Buffer.from("body"), ...more };
}

async function textOf(body: Body): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  let text = "";
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test("a whole answer", async () => {
  const response = await callInProcess((exchange) => {
    exchange.addResponseHeaders(["x-extra", "2"]);
    void exchange.readBody(10).then((body) => exchange.respond(201, ["x-one", exchange.header("x-one") ?? ""], body));
  }, request());
  expect(response).toMatchObject({ status: 201, headers: ["x-one", "1", "x-extra", "2", "content-length", "4"] });
  expect(await textOf(response.body)).toBe("body");
});

test("streams in both directions", async () => {
  const response = await callInProcess(
    (exchange) => {
      const writer = exchange.startResponse(200, []);
      void (async () => {
        for await (const chunk of exchange.streamBody(0)) await writer.write(chunk);
        writer.end();
      })();
    },
    request({ body: chunks("a", "b", "c") }),
  );
  expect(await textOf(response.body)).toBe("abc");
});

test("limits, announced and streamed", async () => {
  const limited = (body: Body) =>
    callInProcess((exchange) => {
      exchange
        .readBody(2)
        .catch((error: unknown) => exchange.respond(error instanceof BodyTooLargeError ? 413 : 500, []));
    }, request({ body }));
  expect((await limited(Buffer.from("abc"))).status).toBe(413);
  expect((await limited(chunks("a", "b", "c"))).status).toBe(413);
});

test("the caller's end: abort, timeout and giving the body up reach the handler", async () => {
  const aborted: string[] = [];
  const hang = (signal?: AbortSignal, headTimeoutMs?: number) =>
    callInProcess(
      (exchange) => exchange.onAbort(() => aborted.push(exchange.target)),
      request({ signal, headTimeoutMs }),
    );
  const controller = new AbortController();
  const waiting = hang(controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ kind: "aborted" });
  await expect(hang(undefined, 5)).rejects.toMatchObject({ kind: "timeout" });
  const gone = Promise.withResolvers<unknown>();
  const response = await callInProcess((exchange) => {
    const writer = exchange.startResponse(200, []);
    exchange.onAbort(() => aborted.push("stream"));
    void (async () => {
      for (;;) await writer.write(Buffer.alloc(10_000));
    })().catch(gone.resolve);
  }, request());
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    expect(chunk).toHaveLength(10_000);
    break;
  }
  expect(await gone.promise).toMatchObject({ name: "PeerGoneError" });
  expect(aborted).toEqual(["/t?q=1", "/t?q=1", "stream"]);
});

test("a handler that throws is 500, one that cuts its answer off fails the reader", async () => {
  expect(
    await callInProcess(() => {
      throw new Error("broken");
    }, request()),
  ).toMatchObject({ status: 500 });
  const response = await callInProcess((exchange) => {
    const writer = exchange.startResponse(200, []);
    void writer.write(Buffer.from("half"));
    writer.abort();
  }, request());
  await expect(textOf(response.body)).rejects.toMatchObject({ kind: "protocol" });
});
