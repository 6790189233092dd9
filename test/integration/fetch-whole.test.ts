import { expect, it } from "vitest";
import { Cancellation } from "../../src/kit/cancel-signal.ts";
import { nextTurn } from "../../src/kit/turn.ts";
import { VirtualClock } from "../../src/kit/virtual-clock.fixture.ts";
import { fetchWhole, type WholeRequest } from "../../src/net/http/fetch-whole.ts";
import { serve } from "../harness/pipeline.ts";
import { until } from "../harness/until.ts";

const request = (rest: Partial<WholeRequest> = {}): WholeRequest => ({
  method: "GET",
  headers: [],
  bytesMax: 100,
  timeoutMs: 1_000,
  redirectsMax: 3,
  clock: new VirtualClock(),
  ...rest,
});
const text = (body: Uint8Array): string => Buffer.from(body).toString();

it("follows redirects so many times and no more", async () => {
  await using server = await serve(({ url = "" }) => {
    const left = Number(url.slice(1));
    return left === 0 ? { body: "there" } : { status: 307, headers: { location: `/${left - 1}` } };
  });
  expect(text((await fetchWhole(`${server.url}/3`, request())).body)).toBe("there");
  await expect(fetchWhole(`${server.url}/4`, request())).rejects.toThrow("stopped after 3 redirects");
  expect((await fetchWhole(`${server.url}/4`, request({ redirectsMax: 0 }))).status).toBe(307);
});

it("an answer has so many bytes and no more, whether it says its length or not", async () => {
  await using server = await serve(({ url }) => ({
    body: "x".repeat(url === "/fits" ? 100 : 101),
    headers: url === "/chunks" ? { "transfer-encoding": "chunked" } : {},
  }));
  expect((await fetchWhole(`${server.url}/fits`, request())).body.byteLength).toBe(100);
  for (const path of ["/more", "/chunks"]) {
    await expect(fetchWhole(server.url + path, request())).rejects.toThrow(
      "the answer has more than the limit of 100 bytes",
    );
  }
});

it("gives up in time, or when it is told to", async () => {
  await using server = await serve(() => new Promise(() => undefined));
  const clock = new VirtualClock();
  const late = fetchWhole(server.url, request({ clock }));
  late.catch(() => undefined);
  await until("the server is asked", () => server.asked.length === 1);
  clock.advance(1_000);
  await expect(late).rejects.toThrow("no answer within 1000 ms");
  const signal = new Cancellation();
  const cancelled = fetchWhole(server.url, request({ signal }));
  cancelled.catch(() => undefined);
  await nextTurn();
  signal.abort(new Error("enough"));
  await expect(cancelled).rejects.toThrow("enough");
  await expect(fetchWhole(server.url, request({ signal }))).rejects.toThrow("enough");
});

it.each(["", "file:///etc/passwd", "ftp://x", "x"])("%j is no address", async (url) => {
  await expect(fetchWhole(url, request())).rejects.toThrow("not an http or https URL");
});

it("a redirect leads to http and https alone", async () => {
  await using server = await serve(() => ({ status: 302, headers: { location: "file:///etc/passwd" } }));
  await expect(fetchWhole(server.url, request())).rejects.toThrow("not an http or https URL");
});
