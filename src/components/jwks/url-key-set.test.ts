import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { FetchedJwks } from "./fetch-jwks.ts";
import { UrlKeySet } from "./url-key-set.ts";

const MINUTE_MS = 60_000;
const setOf = (kid: string): string => `{"keys":[{"kty":"oct","kid":"${kid}","k":"AQ"}]}`;
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

function setUp(answers: readonly (FetchedJwks | Error | "hang")[]) {
  const clock = new VirtualClock();
  const reports: (string | undefined)[] = [];
  const logged: string[] = [];
  let fetches = 0;
  const keys = new UrlKeySet({
    requestTimeoutMs: 5_000,
    minRefreshMs: 10 * MINUTE_MS,
    clock,
    logger: { ...silentLogger, warn: (line) => void logged.push(line) },
    async fetch(_nowMs, signal) {
      const answer = answers[fetches] ?? new Error("no more answers");
      fetches += 1;
      if (answer === "hang") {
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        });
      }
      if (answer instanceof Error) throw answer;
      return answer;
    },
    report: (reason) => void reports.push(reason),
  });
  const elapse = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await turns();
  };
  return { keys, reports, logged, fetches: () => fetches, elapse };
}

const signal = new AbortController().signal;

describe("a key set behind a URL", () => {
  it("is fetched again when its time is up, which its answer may put off but not bring forward", async () => {
    const { keys, fetches, elapse } = setUp([
      { text: setOf("a"), maxAgeMs: undefined },
      { text: setOf("b"), maxAgeMs: 30 * MINUTE_MS },
      { text: setOf("c"), maxAgeMs: 1 },
    ]);
    await keys.load(signal);
    expect(await keys.find("a")).toBeDefined();
    await elapse(10 * MINUTE_MS - 1);
    expect(fetches()).toBe(1);
    await elapse(1);
    expect([fetches(), await keys.find("a")]).toEqual([2, undefined]);
    expect(await keys.find("b")).toBeDefined();
    await elapse(29 * MINUTE_MS);
    expect(fetches()).toBe(2);
    await elapse(MINUTE_MS);
    expect(await keys.find("c")).toBeDefined();
    await elapse(9 * MINUTE_MS);
    expect(fetches()).toBe(3);
    await keys.close();
    await elapse(60 * MINUTE_MS);
    expect([fetches(), await keys.find("c")]).toEqual([3, undefined]);
  });

  it("keeps its keys when it cannot be fetched again, and says so until it can", async () => {
    const { keys, reports, logged, elapse } = setUp([
      { text: setOf("a"), maxAgeMs: undefined },
      new Error("connection refused"),
      { text: "nope", maxAgeMs: undefined },
      { text: setOf("b"), maxAgeMs: undefined },
    ]);
    await keys.load(signal);
    for (let round = 0; round < 2; round += 1) {
      await elapse(10 * MINUTE_MS);
      expect(await keys.find("a")).toBeDefined();
    }
    await elapse(10 * MINUTE_MS);
    expect(await keys.find("b")).toBeDefined();
    expect(reports).toEqual([
      "the JWKS could not be refreshed: connection refused",
      expect.stringContaining("the JWKS could not be refreshed: failed to unmarshal JSON"),
      undefined,
    ]);
    expect(logged[0]).toBe("Error while refreshing JWKS cache: connection refused");
  });

  it("has to answer in time at the start", async () => {
    const { keys, elapse } = setUp(["hang"]);
    const loading = expect(keys.load(signal)).rejects.toThrow("failed to fetch JWKS: context deadline exceeded");
    await elapse(5_000);
    await loading;
  });

  it("is given up when it is closed while it is fetched", async () => {
    const { keys, reports, logged, fetches, elapse } = setUp([{ text: setOf("a"), maxAgeMs: undefined }, "hang"]);
    await keys.load(signal);
    await elapse(10 * MINUTE_MS);
    await keys.close();
    await elapse(60 * MINUTE_MS);
    expect([reports, logged, fetches()]).toEqual([[], [], 2]);
  });
});
