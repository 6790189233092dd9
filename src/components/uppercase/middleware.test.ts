import { expect, it } from "vitest";
import { openMiddleware, plainRequest } from "../spi/middleware.fixture.ts";
import { uppercaseManifest } from "./manifest.ts";

const body = Buffer.from("hello ß é 😀");
const answer = { headers: ["content-length", "5"], body: Buffer.from("world") };

it.each([
  [{}, "HELLO ß É 😀", "world"],
  [{ direction: "request" }, "HELLO ß É 😀", "world"],
  [{ direction: "sideways" }, "HELLO ß É 😀", "world"],
  [{ direction: "RESPONSE" }, "hello ß é 😀", "WORLD"],
  [{ direction: "both" }, "HELLO ß É 😀", "WORLD"],
])("%j", async (metadata, request, response) => {
  const { ask } = await openMiddleware(uppercaseManifest, metadata);
  const asked = await ask("/", { body, headers: ["Content-Length", "15"] }, answer);
  expect(asked.text).toBe(response);
  expect(Buffer.from(asked.passed?.body as Uint8Array).toString()).toBe(request);
  expect(asked.header("content-length")).toBe(response === "WORLD" ? undefined : "5");
});

it("a streamed answer that nobody begins to read is given up behind it as well", async () => {
  const { middleware } = await openMiddleware(uppercaseManifest, { direction: "response" });
  let freed = false;
  const source: AsyncIterableIterator<Uint8Array> = {
    next: async () => ({ done: true, value: undefined }),
    async return() {
      freed = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => source,
  };
  const { body: given } = await middleware.handle(plainRequest("/"), async () => ({
    status: 200,
    headers: [],
    body: source,
  }));
  await (given as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]().return?.();
  expect(freed).toBe(true);
});

it("a stream is changed piece by piece, also where a letter is cut in two", async () => {
  const { ask } = await openMiddleware(uppercaseManifest, { direction: "both" });
  async function* pieces() {
    for (const byte of body) yield Buffer.of(byte);
  }
  expect((await ask("/", { body: pieces() })).text).toBe("HELLO ß É 😀");
  expect((await ask("/", { body: Buffer.of(0x61, 0xc3) })).text).toBe("A\ufffd");
});
