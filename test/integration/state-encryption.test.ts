import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

const KEYS = {
  first: "000102030405060708090a0b0c0d0e0f",
  second: "101112131415161718191a1b1c1d1e1f101112131415161718191a1b1c1d1e1f",
};

/** A store whose keys come from the environment, by secret references of these names. */
function encryptedStore(path: string, primary: string, secondary?: string): string {
  const reference = (field: string, name: string): string =>
    `\n    - { name: ${field}, secretKeyRef: { name: ${name}, key: ${name} } }`;
  const keys =
    reference("primaryEncryptionKey", primary) +
    (secondary === undefined ? "" : reference("secondaryEncryptionKey", secondary));
  const store = component("store", "state.sqlite", { connectionString: path }).trimEnd() + keys;
  return `${component("secrets", "secretstores.local.env")}---\n${store}\nauth:\n  secretStore: secrets\n`;
}

it("keys are replaced without losing what was encrypted with the one before", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "state.db");
  const start = (primary: string, secondary?: string): Promise<TestSidecar> =>
    startTestSidecar({
      resources: encryptedStore(path, primary, secondary),
      deps: { environment: { FIRST: KEYS.first, SECOND: KEYS.second } },
    });
  const save = async (one: TestSidecar, key: string): Promise<void> => {
    const body = JSON.stringify([{ key, value: `secret ${key}` }]);
    expect((await one.fetch("/v1.0/state/store", { method: "POST", body })).status).toBe(204);
  };
  const read = async (one: TestSidecar, key: string): Promise<string> =>
    (await one.fetch(`/v1.0/state/store/${key}`)).text();
  {
    await using one = await start("FIRST");
    await save(one, "old");
    expect(await read(one, "old")).toBe("secret old");
  }
  {
    await using one = await start("SECOND", "FIRST");
    await save(one, "new");
    expect([await read(one, "old"), await read(one, "new")]).toEqual(["secret old", "secret new"]);
    const query = await one.fetch("/v1.0-alpha1/state/store/query", { method: "POST", body: "{}" });
    expect(query.status).toBe(500);
  }
  await using one = await start("SECOND");
  expect(await read(one, "new")).toBe("secret new");
  expect(await (await one.fetch("/v1.0/state/store/old")).json()).toEqual({
    errorCode: "ERR_STATE_GET",
    message:
      "fail to get old from state store store: could not decrypt data for state store store: no encryption key named FIRST",
  });
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT key, is_binary, value FROM state ORDER BY key").all();
  database.close();
  const stored = rows.map(({ key, value }) => [key, Buffer.from(String(value), "base64").toString()]);
  expect(stored).toEqual([
    ["test-app||new", expect.stringMatching(/^[A-Za-z0-9+/=]{40,}\|\|SECOND$/)],
    ["test-app||old", expect.stringMatching(/^[A-Za-z0-9+/=]{40,}\|\|FIRST$/)],
  ]);
  expect(rows.map((row) => row["is_binary"])).toEqual([1, 1]);
});
