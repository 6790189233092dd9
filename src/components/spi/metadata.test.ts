import { describe, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import type { MetadataField } from "./component.ts";
import { ComponentError } from "./errors.ts";
import { decodeMetadata, isTruthy } from "./metadata.ts";

const fields = [
  { name: "redisHost", kind: "string", required: true, aliases: ["host"], description: "where it listens" },
  { name: "retries", kind: "integer", default: "3", description: "" },
  { name: "ratio", kind: "number", description: "" },
  { name: "enableTLS", kind: "boolean", description: "" },
  { name: "timeout", kind: "duration", default: "5s", description: "" },
  { name: "cache", kind: "quantity", description: "" },
  { name: "pin", kind: "integer", sensitive: true, description: "" },
] as const satisfies readonly MetadataField[];

function decode(metadata: Readonly<Record<string, string>>, warnings: string[] = []) {
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (message) => void warnings.push(message),
    error() {},
    fatal() {},
    enabled: () => true,
    scope: () => logger,
  };
  return decodeMetadata(fields, metadata, { component: "store", logger });
}

describe("decodeMetadata", () => {
  it("reads every kind, without case and through aliases", () => {
    const decoded = decode({
      HOST: "db",
      Retries: "-7",
      ratio: "0.5",
      enabletls: "Yes",
      timeout: "1m30s",
      cache: "4Mi",
      pin: "1",
    });
    expect(decoded).toEqual({
      redisHost: "db",
      retries: -7,
      ratio: 0.5,
      enableTLS: true,
      timeout: 90_000,
      cache: 4_194_304,
      pin: 1,
    });
    const host: string = decoded.redisHost;
    const cache: number | undefined = decoded.cache;
    expect([host, cache]).toEqual(["db", 4_194_304]);
  });

  it("takes defaults for what is absent or empty", () => {
    expect(decode({ redisHost: "db", retries: "" })).toEqual({
      redisHost: "db",
      retries: 3,
      ratio: undefined,
      enableTLS: undefined,
      timeout: 5_000,
      cache: undefined,
      pin: undefined,
    });
  });

  it("takes a duration without a unit for seconds", () => {
    expect(decode({ redisHost: "db", timeout: "20" }).timeout).toBe(20_000);
  });

  it("prefers a field's name to its alias", () => {
    expect(decode({ host: "alias", redisHost: "name" }).redisHost).toBe("name");
  });

  it.each([
    [{}, 'metadata field "redisHost" of component store is required: where it listens', "redisHost"],
    [
      { redisHost: "db", retries: "many" },
      'metadata field "retries" of component store must be a whole number such as 10, not "many"',
      "retries",
    ],
    [
      { redisHost: "db", retries: "1.5" },
      'metadata field "retries" of component store must be a whole number such as 10, not "1.5"',
      "retries",
    ],
    [
      { redisHost: "db", ratio: "x" },
      'metadata field "ratio" of component store must be a number such as 0.5, not "x"',
      "ratio",
    ],
    [
      { redisHost: "db", timeout: "soon" },
      'metadata field "timeout" of component store must be a duration such as 30s or 1h30m, not "soon"',
      "timeout",
    ],
    [
      { redisHost: "db", cache: "4Mb" },
      'metadata field "cache" of component store must be a size such as 4Mi or 512, not "4Mb"',
      "cache",
    ],
    [
      { redisHost: "db", pin: "secret" },
      'metadata field "pin" of component store must be a whole number such as 10, not (hidden)',
      "pin",
    ],
    [
      { redisHost: "db", redishost: "db" },
      "failed to resolve aliases: key redishost is duplicate in the metadata",
      "redishost",
    ],
  ])("refuses %j", (metadata, message, field) => {
    const error = thrownBy(() => decode(metadata));
    expect(error).toBeInstanceOf(ComponentError);
    expect(error).toMatchObject({ kind: "invalidMetadata", message, facts: { component: "store", field } });
  });

  it("warns about fields that nobody reads, not about those the runtime reads", () => {
    const warnings: string[] = [];
    decode({ redisHost: "db", retires: "1", actorStateStore: "true", KEYPREFIX: "none", zzz: "1" }, warnings);
    expect(warnings).toEqual([
      'component store has no metadata field "retires", it is ignored; did you mean "retries"?',
      'component store has no metadata field "zzz", it is ignored',
    ]);
  });
});

describe("isTruthy", () => {
  it.each(["y", "YES", " true ", "t", "on", "1"])("%j is", (text) => expect(isTruthy(text)).toBe(true));
  it.each(["", "no", "false", "2", "truee", "enabled"])("%j is not", (text) => expect(isTruthy(text)).toBe(false));
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
