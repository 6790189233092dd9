import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { Flood } from "./flood.ts";

/** What a careless server or proxy would take for a request of its own: it leaves a mark that can be looked for. */
const SMUGGLED = "PUT /v1.0/metadata/smuggled HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nyes";
const POST = "POST /v1.0/state/store HTTP/1.1\r\nhost: x\r\n";

let sidecar: TestSidecar;
beforeAll(async () => (sidecar = await startTestSidecar()));
afterAll(async () => await sidecar.stop());

/** Each is refused by RFC 9112, or read by different servers in different ways. */
const SHAPES: readonly (readonly [name: string, bytes: string])[] = [
  ["a length and chunks (CL.TE)", `${POST}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["chunks and a length (TE.CL)", `${POST}transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["two lengths", `${POST}content-length: 0\r\ncontent-length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ["two lengths in one field", `${POST}content-length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
  ["a length with a sign", `${POST}content-length: +0\r\n\r\n${SMUGGLED}`],
  ["a negative length", `${POST}content-length: -1\r\n\r\n${SMUGGLED}`],
  ["a length in hexadecimal digits", `${POST}content-length: 0x0\r\n\r\n${SMUGGLED}`],
  ["a length that overflows", `${POST}content-length: 18446744073709551616\r\n\r\n${SMUGGLED}`],
  ["an empty length", `${POST}content-length:\r\n\r\n${SMUGGLED}`],
  ["a space before the colon", `${POST}transfer-encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["an encoding that is none", `${POST}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["chunks that are not the last encoding", `${POST}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["chunks twice", `${POST}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a vertical tab before the encoding", `${POST}transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a field that is folded", `${POST}transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["an encoding after a bare line feed", `${POST}x: y\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["an encoding after a bare carriage return", `${POST}x: y\rtransfer-encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ["a NUL in a field", `${POST}x: y\0\r\n\r\n${SMUGGLED}`],
  ["a line without a colon", `${POST}x\r\n\r\n${SMUGGLED}`],
  ["a field without a name", `${POST}: x\r\n\r\n${SMUGGLED}`],
  ["a chunk size that overflows", `${POST}transfer-encoding: chunked\r\n\r\n10000000000000000\r\n${SMUGGLED}`],
  ["a negative chunk size", `${POST}transfer-encoding: chunked\r\n\r\n-1\r\n${SMUGGLED}`],
  ["a chunk that is longer than its size", `${POST}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n${SMUGGLED}`],
  ["a chunk size with a bare line feed", `${POST}transfer-encoding: chunked\r\n\r\n0\n\r\n${SMUGGLED}`],
  ["a version that is none", `POST / HTTP/9.9\r\nhost: x\r\n\r\n${SMUGGLED}`],
  ["a request line with three spaces", `POST / / HTTP/1.1\r\nhost: x\r\n\r\n${SMUGGLED}`],
  ["no version", `GET /\r\n\r\n${SMUGGLED}`],
  ["a method that is none", `P@ST / HTTP/1.1\r\nhost: x\r\n\r\n${SMUGGLED}`],
];

async function marks(): Promise<Record<string, string>> {
  const { extended } = (await (await sidecar.fetch("/v1.0/metadata")).json()) as { extended: Record<string, string> };
  return extended;
}

describe("a request with another one behind it", () => {
  it("is only known to be one if the mark of an honest one is found", async () => {
    using flood = await Flood.open(Number(new URL(sidecar.url).port), 1, () =>
      SMUGGLED.replaceAll("smuggled", "honest"),
    );
    await expect.poll(marks).toHaveProperty("honest", "yes");
    expect(flood.attackers[0]?.received).toMatch(/^HTTP\/1\.1 204 /);
  });

  it.each(SHAPES)("%s: is refused, and nothing behind it is served", async (_name, bytes) => {
    using flood = await Flood.open(Number(new URL(sidecar.url).port), 1, () => Buffer.from(bytes, "latin1"));
    await flood.cutOff(20_000);
    const received = flood.attackers[0]?.received ?? "";
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([expect.stringMatching(/ (?:400|413|501|505)$/)]);
    expect(await marks()).not.toHaveProperty("smuggled");
  });
});
