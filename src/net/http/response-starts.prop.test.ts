import type { Socket } from "node:net";
import fc from "fast-check";
import { expect, it, test } from "vitest";
import { passResponseStarts } from "./response-starts.ts";

/** Reads chunks through the filter, the first of them being the beginning of a response. */
function passed(chunks: readonly Buffer[], isStart = true): string {
  const left = [...chunks];
  const socket = { read: () => left.shift() ?? null } as unknown as Socket;
  const headWritten = passResponseStarts(socket);
  if (isStart) {
    headWritten();
  }
  return chunks.map(() => (socket.read() as Buffer | null)?.toString("latin1") ?? "").join("");
}

const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
const CONTINUE = "HTTP/1.1 100 Continue\r\nx: y\r\n\r\n";
const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n";
const SWITCHED = "HTTP/1.1 204 101 stands here\r\nconnection: close\r\nupgrade: x\r\n\r\n";

test.each([
  ["an answer", ANSWER, ANSWER],
  ["a 100 before it", CONTINUE + CONTINUE + ANSWER, ANSWER],
  ["a 102, which undici knows", `HTTP/1.1 102 Processing\r\n\r\n${ANSWER}`, `HTTP/1.1 102 Processing\r\n\r\n${ANSWER}`],
  ["a 101", SWITCHING, SWITCHED],
  ["a 101 after a 100", CONTINUE + SWITCHING, SWITCHED],
])("%s comes out the same, however it is cut", (_what, sent, expected) => {
  expect(passed([Buffer.from(sent)])).toBe(expected);
  fc.assert(
    fc.property(fc.array(fc.nat(sent.length), { maxLength: 6 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), sent.length];
      const chunks = places.slice(1).map((end, index) => Buffer.from(sent.slice(places[index], end)));
      expect(passed(chunks.filter((chunk) => chunk.length > 0))).toBe(expected);
    }),
  );
});

it("leaves what is no beginning of a response alone", () => {
  expect(passed([Buffer.from(ANSWER), Buffer.from(CONTINUE)])).toBe(ANSWER + CONTINUE);
  expect(passed([Buffer.from(SWITCHING)], false)).toBe(SWITCHING);
});

it("holds a head that does not end only up to the limit of heads", () => {
  const endless = Buffer.from(`HTTP/1.1 100 ${"x".repeat(1024 * 1024)}`);
  expect(passed([endless])).toHaveLength(endless.length);
});
