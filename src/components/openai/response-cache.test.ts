import { expect, test } from "vitest";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ConversationResponse } from "../spi/conversation.ts";
import { ResponseCache } from "./response-cache.ts";

const answer: ConversationResponse = { outputs: [], model: "m", usage: undefined };

test("an answer is given again until its time is over", () => {
  const clock = new VirtualClock();
  const cache = new ResponseCache(1000, clock);
  cache.put("q", answer, 10);
  expect(cache.get("q")).toBe(answer);
  clock.advance(999);
  expect(cache.get("q")).toBe(answer);
  clock.advance(1);
  expect(cache.get("q")).toBeUndefined();
});

test("the oldest answers make room, by number and by size", () => {
  const cache = new ResponseCache(60_000, new VirtualClock());
  for (let index = 0; index <= 1000; index += 1) {
    cache.put(`q${index}`, answer, 10);
  }
  expect([cache.get("q0"), cache.get("q1")]).toEqual([undefined, answer]);
  cache.put("large", answer, 32 * 1024 * 1024 - 100);
  expect([cache.get("q500"), cache.get("large")]).toEqual([undefined, answer]);
  cache.put("too large", answer, 33 * 1024 * 1024);
  expect([cache.get("large"), cache.get("too large")]).toEqual([undefined, undefined]);
});
