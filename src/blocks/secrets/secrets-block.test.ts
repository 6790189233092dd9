import { describe, expect, it } from "vitest";
import type { ComponentManifest } from "../../components/spi/component.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import type { SecretStore } from "../../components/spi/secret-store.ts";
import { LiveView } from "../../inventory/view.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { SecretScopeRule } from "./secret-scopes.ts";
import { createSecretsBlock } from "./secrets-block.ts";

const SECRETS = { one: { one: "1" }, two: { two: "2" }, three: { three: "3" } };

const store: SecretStore = {
  init: async () => undefined,
  close: async () => undefined,
  async getSecret(name) {
    if (!Object.hasOwn(SECRETS, name)) {
      throw new ComponentError("notFound", `secret ${name} not found`);
    }
    return SECRETS[name as keyof typeof SECRETS];
  },
  async bulkGetSecret(metadata) {
    if (metadata["fail"] !== undefined) {
      throw new ComponentError("unavailable", "the vault is shut");
    }
    return SECRETS;
  },
};

const manifest: ComponentManifest<SecretStore> = {
  family: "secretstores",
  type: "secretstores.fake",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: [],
  load: async () => () => store,
};

function setUp(scopes: readonly Partial<SecretScopeRule>[] = []) {
  const stores = new LiveView<SecretStore>();
  const rules = scopes.map((rule): SecretScopeRule => ({
    storeName: "vault",
    defaultAccess: "allow",
    allowedSecrets: [],
    deniedSecrets: [],
    ...rule,
  }));
  return {
    stores,
    block: createSecretsBlock({ stores, scopes: rules, logger: silentLogger, clock: new VirtualClock() }),
  };
}

function loaded(scopes: readonly Partial<SecretScopeRule>[] = []) {
  const { stores, block } = setUp(scopes);
  stores.set({ name: "vault", manifest, version: "v1", metadata: {}, secretNames: {}, component: store });
  return block;
}

const get = (key: string, name = "vault") => ({ store: name, key, metadata: {} });

describe("secrets", () => {
  it("gives one, and all", async () => {
    expect(await loaded().get(get("two"))).toEqual({ two: "2" });
    expect(await loaded().bulkGet({ store: "vault", metadata: {} })).toEqual(SECRETS);
  });

  it("says which store is missing, with Dapr's statuses", async () => {
    const { block } = setUp();
    await expect(block.get(get("one"))).rejects.toMatchObject({
      message: "secret store is not configured",
      httpStatus: 500,
      grpcStatus: 9,
      entry: { code: "ERR_SECRET_STORES_NOT_CONFIGURED" },
    });
    await expect(loaded().get(get("one", "x"))).rejects.toMatchObject({
      message: "failed finding secret store with key x",
      httpStatus: 401,
      grpcStatus: 3,
      entry: { code: "ERR_SECRET_STORE_NOT_FOUND" },
    });
  });

  it("says what the store said", async () => {
    await expect(loaded().get(get("four"))).rejects.toMatchObject({
      message: "failed getting secret with key four from secret store vault: secret four not found",
      httpStatus: 500,
      grpcStatus: 13,
      entry: { code: "ERR_SECRET_GET" },
    });
    await expect(loaded().bulkGet({ store: "vault", metadata: { fail: "" } })).rejects.toMatchObject({
      message: "failed getting secrets from secret store vault: the vault is shut",
    });
  });

  it.each<[string, Partial<SecretScopeRule>, readonly string[]]>([
    ["a deny list", { deniedSecrets: ["two"] }, ["one", "three"]],
    ["a denying default", { defaultAccess: "deny" }, []],
    ["an allow list, whatever the default", { defaultAccess: "deny", allowedSecrets: ["two"] }, ["two"]],
    ["an allow list before a deny list", { allowedSecrets: ["one", "two"], deniedSecrets: ["two"] }, ["one", "two"]],
    ["a rule for another store", { storeName: "other", defaultAccess: "deny" }, ["one", "two", "three"]],
  ])("shows by %s what it may", async (_, rule, visible) => {
    const block = loaded([rule]);
    expect(Object.keys(await block.bulkGet({ store: "vault", metadata: {} }))).toEqual(visible);
    for (const name of Object.keys(SECRETS)) {
      const one = block.get(get(name));
      if (visible.includes(name)) {
        expect(await one).toEqual({ [name]: SECRETS[name as keyof typeof SECRETS][name as never] });
      } else {
        await expect(one).rejects.toMatchObject({
          message: `access denied by policy to get "${name}" from "vault"`,
          httpStatus: 403,
          grpcStatus: 7,
          entry: { code: "ERR_PERMISSION_DENIED" },
        });
      }
    }
  });
});
