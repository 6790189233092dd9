import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { CONFIGURATION_FIELDS, CONNECTION_FIELDS, PUBSUB_FIELDS } from "./fields.ts";
import { pubsubOptions } from "./pubsub-options.ts";
import { decodeRedisMetadata, redisSettings } from "./settings.ts";

const deps = { name: "redis", logger: silentLogger };

const settingsOf = (metadata: Readonly<Record<string, string>>) =>
  redisSettings(decodeRedisMetadata(CONNECTION_FIELDS, metadata, deps));

const optionsOf = (metadata: Readonly<Record<string, string>>) =>
  pubsubOptions(decodeRedisMetadata(PUBSUB_FIELDS, metadata, deps), "app");

describe("the address", () => {
  it.each([
    [{}, "localhost:6379"],
    [{ redisHost: "db" }, "db:6379"],
    [{ redisHost: "db", redisPort: "7000" }, "db:7000"],
    [{ redisHost: " db:7001 " }, "db:7001"],
    [{ redisHost: "db:7001", redisPort: "7001" }, "db:7001"],
    [{ redisHost: ":7001" }, "localhost:7001"],
    [{ redisHost: "::1" }, "[::1]:6379"],
    [{ redisHost: "[::1]:7000" }, "[::1]:7000"],
  ])("of %j is %s", (metadata, address) => {
    expect(settingsOf(metadata).address).toBe(address);
  });

  it("must not name two ports", () => {
    expect(() => settingsOf({ redisHost: "db:1", redisPort: "2" })).toThrow(
      'redis host "db:1" already contains port 1, but redisPort is set to 2; either remove the port from redisHost or remove the redisPort setting',
    );
  });
});

describe("times", () => {
  it("are milliseconds without a unit", () => {
    const settings = settingsOf({
      dialTimeout: "250",
      readTimeout: "10s",
      writeTimeout: "7",
      redisMinRetryInterval: "2",
    });
    expect([settings.dialTimeoutMs, settings.replyTimeoutMs, settings.retryPauseMsMin]).toEqual([250, 10_000, 2]);
  });

  it("of -1 have no end, of 0 are Dapr's", () => {
    expect(settingsOf({ readTimeout: "-1" }).replyTimeoutMs).toBe(Infinity);
    expect(settingsOf({ readTimeout: "0", writeTimeout: "0", dialTimeout: "0" })).toMatchObject({
      replyTimeoutMs: 3_000,
      dialTimeoutMs: 5_000,
    });
  });
});

it("takes the old name of the number of retries, and -1 for none", () => {
  expect(settingsOf({ maxRetries: "7" }).retriesMax).toBe(7);
  expect(settingsOf({ maxRetries: "7", redisMaxRetries: "-1" }).retriesMax).toBe(0);
});

it("uses a client certificate only with its key", () => {
  const tls = settingsOf({ enableTLS: "true", clientCert: "CERT", insecureSkipTLSVerify: "true" }).tls;
  expect(tls).toEqual({ rejectUnauthorized: false, cert: undefined, key: undefined });
  expect(settingsOf({ enableTLS: "true", clientCert: "CERT", clientKey: "KEY" }).tls).toEqual({
    rejectUnauthorized: true,
    cert: "CERT",
    key: "KEY",
  });
  expect(settingsOf({ clientCert: "CERT", clientKey: "KEY" }).tls).toBeUndefined();
});

it.each([
  [{ redisType: "cluster" }, "unsupported", "redisType cluster"],
  [{ failover: "true" }, "unsupported", "failover"],
  [{ useAzureAD: "true" }, "unsupported", "useEntraID"],
  [{ redisHost: "a:1,b:2" }, "unsupported", "several addresses"],
  [{ redisType: "ring" }, "invalidMetadata", '"ring"'],
  [{ redisDB: "first" }, "invalidMetadata", "redis client configuration error: "],
])("refuses %j by name", (metadata, kind, text) => {
  let error: unknown;
  try {
    settingsOf(metadata);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ kind, message: expect.stringContaining(text) as string });
});

it("waits longer between attempts for configuration stores", () => {
  const settings = redisSettings(decodeRedisMetadata(CONFIGURATION_FIELDS, {}, deps));
  expect([settings.retryPauseMsMin, settings.retryPauseMsMax]).toEqual([8, 2_000]);
});

describe("a broker's options", () => {
  it("are Dapr's without metadata", () => {
    expect(optionsOf({})).toEqual({
      consumerId: "app",
      processingTimeoutMs: 60_000,
      redeliverIntervalMs: 15_000,
      heldMax: 100,
      concurrency: 10,
      maxLenApprox: 0,
      streamTtlMs: undefined,
    });
  });

  it("read whole numbers as milliseconds, of streamTTL as seconds", () => {
    const metadata = { processingTimeout: "500", redeliverInterval: "1m", streamTTL: "60", consumerID: " group " };
    expect(optionsOf(metadata)).toMatchObject({
      consumerId: "group",
      processingTimeoutMs: 500,
      redeliverIntervalMs: 60_000,
      streamTtlMs: 60_000,
    });
  });

  it.each([{ processingTimeout: "0" }, { redeliverInterval: "0" }])("%j switches redelivery off", (metadata) => {
    expect(optionsOf(metadata).processingTimeoutMs).toBeUndefined();
  });

  it("hold at least what is processed at a time", () => {
    expect(optionsOf({ queueDepth: "0", concurrency: "4" }).heldMax).toBe(4);
  });

  it("refuse a broker that would process nothing", () => {
    expect(() => optionsOf({ concurrency: "0" })).toThrow("concurrency must be 1 or more");
  });
});
