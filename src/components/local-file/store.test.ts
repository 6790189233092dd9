import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { systemClock } from "../../kit/system-clock.ts";
import { systemRandom } from "../../kit/random.ts";
import type { SecretStore } from "../spi/secret-store.ts";
import { localFileManifest } from "./manifest.ts";

const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  enabled: () => false,
  scope: () => silent,
};

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outrigger-secrets-"));
  file = join(folder, "secrets.json");
});
afterEach(() => rm(folder, { recursive: true }));

async function open(content: unknown, metadata: Readonly<Record<string, string>> = {}): Promise<SecretStore> {
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return openAs({ secretsFile: file, ...metadata });
}

async function openAs(metadata: Readonly<Record<string, string>>): Promise<SecretStore> {
  const create = await localFileManifest.load();
  const shared = { acquire: <T>(_: string, make: () => T): T => make() };
  const store = create({
    name: "secrets",
    appId: "app",
    namespace: "",
    logger: silent,
    clock: systemClock,
    random: systemRandom,
    environment: {},
    report() {},
    shared,
  });
  await store.init(metadata, new AbortController().signal);
  return store;
}

const nested = { plain: "one", redis: { password: "two", ports: [6379, 6380] }, empty: null, flag: true };

describe("secretstores.local.file", () => {
  it("flattens nested values to paths", async () => {
    const store = await open(nested);
    expect(await store.getSecret("redis:password", {})).toEqual({ "redis:password": "two" });
    expect(Object.keys(await store.bulkGetSecret({}))).toEqual([
      "plain",
      "redis:password",
      "redis:ports:0",
      "redis:ports:1",
      "empty",
      "flag",
    ]);
    expect(await store.getSecret("flag", {})).toEqual({ flag: "true" });
    expect(store.capabilities).toEqual([]);
  });

  it("joins paths with the separator that is asked for", async () => {
    const store = await open(nested, { nestedSeparator: "." });
    expect(await store.getSecret("redis.ports.1", {})).toEqual({ "redis.ports.1": "6380" });
  });

  it("keeps objects together when multi-valued", async () => {
    const store = await open(nested, { multiValued: "true" });
    expect(await store.bulkGetSecret({})).toEqual({
      plain: { plain: "one" },
      redis: { password: "two", "ports:0": "6379", "ports:1": "6380" },
    });
    expect(store.capabilities).toEqual(["MULTIPLE_KEY_VALUES_PER_SECRET"]);
  });

  it("says that a secret is not there as Dapr does", async () => {
    const store = await open({});
    await expect(store.getSecret("nothing", {})).rejects.toMatchObject({
      kind: "notFound",
      message: "secret nothing not found",
    });
  });

  it.each([
    [{}, "missing local secrets file in metadata"],
    [{ secretsFile: "" }, "missing local secrets file in metadata"],
    [{ secretsFile: "/nowhere/secrets.json" }, "open /nowhere/secrets.json: no such file or directory"],
  ])("refuses %j", async (metadata, message) => {
    await expect(openAs(metadata as Record<string, string>)).rejects.toThrow(message);
  });

  it.each(["{", "[]", '"text"'])("refuses a file that holds %s", async (content) => {
    await expect(open(content)).rejects.toMatchObject({ kind: "invalidMetadata" });
  });
});
