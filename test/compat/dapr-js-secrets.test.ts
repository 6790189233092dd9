import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { failureOf, PROTOCOLS } from "./dapr-js.ts";
import { type ClientSystem, startClientSystem } from "./dapr-js-system.ts";

const SECRETS = JSON.stringify({ password: "hunter2", database: { user: "orders", host: "db.test" }, hidden: "x" });
const SCOPES = `  secrets:
    scopes:
      - { storeName: scoped, defaultAccess: allow, deniedSecrets: [hidden] }
`;

describe.each(PROTOCOLS)("secrets through the official SDK over %s", (protocol) => {
  let system: ClientSystem;
  beforeAll(async () => {
    system = await startClientSystem({
      protocol,
      files: { "secrets.json": SECRETS },
      settings: SCOPES,
      env: { SHOP_KEY: "from the environment", OTHER: "x" },
      resources: (folder) => {
        const secretsFile = `${folder}/secrets.json`;
        return [
          component("file", "secretstores.local.file", { secretsFile }),
          component("scoped", "secretstores.local.file", { secretsFile }),
          component("many", "secretstores.local.file", { secretsFile, multiValued: "true" }),
          component("environment", "secretstores.local.env", { prefix: "SHOP_" }),
        ].join("---\n");
      },
    });
  });
  afterAll(() => system.stop());

  it("gets secrets of a file, nested ones by their path", async () => {
    const { secret } = system.client;
    expect(await secret.get("file", "password")).toEqual({ password: "hunter2" });
    expect(await secret.get("file", "database:user")).toEqual({ "database:user": "orders" });
  });

  it("gets secrets with several values", async () => {
    const both = { user: "orders", host: "db.test" };
    const values = await system.client.secret.get("many", "database");
    // Over gRPC the SDK keeps one of them.
    expect(protocol === "http" ? values : { ...both, ...values }).toEqual(both);
  });

  it("gets secrets of the environment", async () => {
    expect(await system.client.secret.get("environment", "KEY")).toEqual({ KEY: "from the environment" });
  });

  it("gets all at once", async () => {
    const { secret } = system.client;
    expect(await secret.getBulk("file")).toEqual({
      password: { password: "hunter2" },
      "database:user": { "database:user": "orders" },
      "database:host": { "database:host": "db.test" },
      hidden: { hidden: "x" },
    });
    expect(await secret.getBulk("environment")).toEqual({ KEY: { KEY: "from the environment" } });
  });

  it("keeps denied secrets to itself", async () => {
    const { secret } = system.client;
    expect(await failureOf(secret.get("scoped", "hidden"))).toMatch(/access denied by policy to get .*hidden/);
    expect(Object.keys(await secret.getBulk("scoped")).toSorted()).toEqual([
      "database:host",
      "database:user",
      "password",
    ]);
  });

  it("tells of a store and of a secret there is none of", async () => {
    const { secret } = system.client;
    expect(await failureOf(secret.get("nowhere", "password"))).toMatch(/failed finding secret store with key nowhere/);
    expect(await failureOf(secret.get("file", "nothing"))).toMatch(/secret nothing not found/);
  });
});
