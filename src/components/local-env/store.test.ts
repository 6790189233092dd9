import { describe, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { systemClock } from "../../kit/system-clock.ts";
import { systemRandom } from "../../kit/random.ts";
import type { SecretStore } from "../spi/secret-store.ts";
import { localEnvManifest } from "./manifest.ts";

const environment = {
  DB_PASSWORD: "one",
  DB_: "two",
  OTHER: "three",
  APP_API_TOKEN: "t",
  DAPR_API_TOKEN: "t",
  GONE: undefined,
};

async function open(metadata: Readonly<Record<string, string>>, warnings: string[] = []): Promise<SecretStore> {
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (message) => void warnings.push(message),
    error() {},
    fatal() {},
    enabled: () => true,
    scope: () => logger,
  };
  const create = await localEnvManifest.load();
  const shared = { acquire: <T>(_: string, make: () => T): T => make() };
  const store = create({
    name: "secrets",
    appId: "app",
    namespace: "",
    logger,
    clock: systemClock,
    random: systemRandom,
    environment,
    report() {},
    shared,
  });
  await store.init(metadata, new AbortController().signal);
  return store;
}

describe("secretstores.local.env", () => {
  it("gives a variable under the name that was asked for, empty when it is not set", async () => {
    const store = await open({});
    expect(await store.getSecret("OTHER", {})).toEqual({ OTHER: "three" });
    expect(await store.getSecret("NOTHING", {})).toEqual({ NOTHING: "" });
  });

  it("never gives out the sidecar's tokens", async () => {
    const warnings: string[] = [];
    const store = await open({}, warnings);
    expect(await store.getSecret("app_api_token", {})).toEqual({ app_api_token: "" });
    expect(await store.getSecret("DAPR_API_TOKEN", {})).toEqual({ DAPR_API_TOKEN: "" });
    expect(warnings).toEqual([
      "Access to env var app_api_token is forbidden",
      "Access to env var DAPR_API_TOKEN is forbidden",
    ]);
    expect(await store.bulkGetSecret({})).toEqual({
      DB_PASSWORD: { DB_PASSWORD: "one" },
      DB_: { DB_: "two" },
      OTHER: { OTHER: "three" },
    });
  });

  it("keeps to the prefix and takes it off", async () => {
    const store = await open({ Prefix: "DB_" });
    expect(await store.getSecret("PASSWORD", {})).toEqual({ PASSWORD: "one" });
    expect(await store.bulkGetSecret({})).toEqual({ PASSWORD: { PASSWORD: "one" } });
  });

  it("hides tokens behind a prefix too", async () => {
    const store = await open({ prefix: "DAPR_" });
    expect(await store.getSecret("API_TOKEN", {})).toEqual({ API_TOKEN: "" });
    expect(await store.bulkGetSecret({})).toEqual({});
  });
});
