import { describe, expect, it } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { document, drive, setUpResiliency } from "../../resiliency/policy.fixture.ts";
import { publishBulkGuarded, publishStatusOf } from "./guarded-publish.ts";
import { countingRandom, FakeBroker, FakeBrokers, FakeLogger } from "./pubsub.fixture.ts";
import { createPubSubBlock } from "./pubsub-block.ts";

const broken = (code: GrpcStatusCode): ComponentError =>
  new ComponentError("unavailable", "no", { cause: new GrpcError(code, "no") });

async function setUp(matching: object | undefined, more: Parameters<typeof document>[0] = {}) {
  const retry = { duration: "0", maxRetries: 3, ...(matching === undefined ? {} : { matching }) };
  const test = await setUpResiliency(
    document({
      retries: { r: retry },
      components: { pubsub: { outbound: { retry: "r", circuitBreaker: "cb", timeout: "t" } } },
      ...more,
    }),
  );
  const broker = new FakeBroker();
  const brokers = new FakeBrokers();
  brokers.add("pubsub", broker);
  const { clock, resiliency } = test;
  const block = createPubSubBlock({
    brokers,
    appId: "shop",
    namespace: "",
    clock,
    random: countingRandom(),
    logger: new FakeLogger(),
    policies: resiliency,
  });
  let attempts = 0;
  const failing = (code: GrpcStatusCode): void => {
    broker.publishError = () => {
      attempts++;
      return broken(code);
    };
  };
  return {
    ...test,
    block,
    broker,
    failing,
    attempts: () => attempts,
    policy: resiliency.component("pubsub", "Pubsub", "outbound")!,
  };
}

const message = (origin: "http" | "grpc") => ({
  pubsub: "pubsub",
  topic: "t",
  data: Buffer.from("1"),
  contentType: "",
  metadata: {},
  origin,
});

describe("publishing under a policy", () => {
  const http = { httpStatusCodes: "429,500-599" };
  const grpc = { gRPCStatusCodes: "14" };
  it.each([
    ["http", http, GRPC_STATUS.UNAVAILABLE, 4],
    ["http", http, GRPC_STATUS.RESOURCE_EXHAUSTED, 4],
    ["http", http, GRPC_STATUS.FAILED_PRECONDITION, 1],
    ["http", grpc, GRPC_STATUS.FAILED_PRECONDITION, 4],
    ["grpc", grpc, GRPC_STATUS.UNAVAILABLE, 4],
    ["grpc", grpc, GRPC_STATUS.FAILED_PRECONDITION, 1],
    ["grpc", undefined, GRPC_STATUS.FAILED_PRECONDITION, 4],
  ] as const)("from %s, matching %j: code %i is attempted %i times", async (origin, matching, code, times) => {
    const { block, clock, failing, attempts } = await setUp(matching);
    failing(code);
    await expect(drive(clock, block.publish(message(origin)))).rejects.toThrow();
    expect(attempts()).toBe(times);
  });

  it("holds for what is forwarded, dead letters for one", async () => {
    const { block, clock, failing, attempts } = await setUp(grpc);
    failing(GRPC_STATUS.UNAVAILABLE);
    const forwarded = block.forward("pubsub", "dead", Buffer.from("1"), undefined, {});
    await expect(drive(clock, forwarded)).rejects.toThrow("no");
    expect(attempts()).toBe(4);
  });

  it("of a list publishes again only what failed", async () => {
    const { block, clock, broker } = await setUp(undefined);
    let failures = 2;
    broker.publishError = ({ data }) =>
      Buffer.from(data).includes("bad") && failures-- > 0 ? broken(GRPC_STATUS.UNAVAILABLE) : undefined;
    const entries = ["good", "bad", "fine"].map((event) => ({
      entryId: event,
      event: Buffer.from(event),
      contentType: "",
      metadata: undefined,
    }));
    const outcome = await drive(clock, block.bulkPublish({ pubsub: "pubsub", topic: "t", entries, metadata: {} }));
    expect(outcome).toEqual({ failedEntries: [], failure: undefined });
    expect(broker.published.map(({ data }) => /good|bad|fine/.exec(Buffer.from(data).toString())?.[0])).toEqual([
      "good",
      "fine",
      "bad",
    ]);
  });

  it("of a list calls all entries failed that are left when the breaker opens", async () => {
    const { policy, clock } = await setUp(undefined, { circuitBreakers: { cb: { trip: "consecutiveFailures >= 2" } } });
    const seen: string[] = [];
    const result = publishBulkGuarded(policy, "http", [{ entryId: "a" }, { entryId: "b" }], async (messages) => {
      seen.push(messages.map(({ entryId }) => entryId).join(""));
      const failed = messages.filter(({ entryId }) => entryId === "b");
      return {
        failedEntries: failed.map(({ entryId }) => ({ entryId, error: "no" })),
        cause: broken(GRPC_STATUS.INTERNAL),
      };
    });
    expect(await drive(clock, result)).toMatchObject({
      failedEntries: [{ entryId: "b", error: "circuit breaker is open" }],
      cause: { message: "circuit breaker is open" },
    });
    expect(seen).toEqual(["ab", "b"]);
  });

  it("of a list that ran out of time publishes all again, and does not hear the late answer", async () => {
    const { policy, clock } = await setUp(undefined, { timeouts: { t: "5ms" } });
    const late = Promise.withResolvers<{ failedEntries: { entryId: string; error: string }[]; cause: unknown }>();
    let calls = 0;
    const result = publishBulkGuarded(policy, "grpc", [{ entryId: "a" }, { entryId: "b" }], async (messages) => {
      calls++;
      if (calls === 1) return late.promise;
      late.resolve({ failedEntries: [{ entryId: "a", error: "no" }], cause: new Error("no") });
      await late.promise;
      return { failedEntries: messages.length === 2 ? [] : [{ entryId: "?", error: "?" }], cause: undefined };
    });
    expect(await drive(clock, result, 1)).toEqual({ failedEntries: [], cause: undefined });
    expect(calls).toBe(2);
  });
});

it("only brokers behind gRPC have codes", () => {
  expect(publishStatusOf("http", new ComponentError("unavailable", "no"))).toBeUndefined();
  expect(publishStatusOf("grpc", new GrpcError(14, "no"))).toBeUndefined();
  expect(publishStatusOf("http", broken(GRPC_STATUS.UNAVAILABLE))).toEqual({ kind: "http", code: 503 });
});
