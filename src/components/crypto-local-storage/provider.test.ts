import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { componentDeps } from "../spi/component-deps.fixture.ts";
import type { CryptoProvider } from "../spi/crypto.ts";
import { createCryptoLocalStorage } from "./provider.ts";

const deps = componentDeps({ name: "keys" });
const signal = new AbortController().signal;
const none = new Uint8Array(0);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outrigger-keys-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function open(path = folder, directory?: string): Promise<CryptoProvider> {
  const provider = createCryptoLocalStorage({ ...deps, directory });
  await provider.init({ path }, signal);
  return provider;
}

/** What wrapping with a key gives, as hex, so that a test sees which key it was. */
async function wrap(provider: CryptoProvider, keyName: string): Promise<string> {
  const request = { keyName, algorithm: "A256KW", plaintext: Buffer.alloc(16), nonce: none, associatedData: none };
  return Buffer.from((await provider.wrapKey(request)).ciphertext).toString("hex");
}

describe("crypto.dapr.localstorage", () => {
  it("takes a replaced key at once", async () => {
    const provider = await open();
    await writeFile(join(folder, "key"), Buffer.alloc(32, 1).toString("base64"));
    const before = await wrap(provider, "key");
    await writeFile(join(folder, "key"), Buffer.alloc(32, 2).toString("base64"));
    expect(await wrap(provider, "key")).not.toBe(before);
  });

  it("finds keys in folders below, and names that begin with a slash", async () => {
    await mkdir(join(folder, "team"));
    await writeFile(join(folder, "team/key"), Buffer.alloc(32, 1));
    const provider = await open();
    expect(await wrap(provider, "team/key")).toBe(await wrap(provider, "/team/key"));
  });

  it("starts relative paths where the sidecar does", async () => {
    await mkdir(join(folder, "keys"));
    await writeFile(join(folder, "keys/key"), Buffer.alloc(32, 1));
    await expect(wrap(await open("keys", folder), "key")).resolves.toBeDefined();
  });

  it.each([
    ["../key", "invalid key path: cannot contain '..'"],
    ["none", "failed to load key 'none': open FOLDER/none: no such file or directory"],
    ["a\0b", "failed to load key 'a\0b': open FOLDER/a\0b: invalid argument"],
    ["sub", "failed to load key 'sub': read FOLDER/sub: is a directory"],
    ["", "failed to load key '': read FOLDER: is a directory"],
    ["key/x", "failed to load key 'key/x': open FOLDER/key/x: not a directory"],
    ["large", "a key is a file of at most 1048576 bytes"],
    ["wrong.json", "failed to parse key from secret: failed to unmarshal JSON into key hint"],
    ["wrong.PEM", "failed to parse key from secret: failed to parse PEM encoded key"],
    ["empty", "failed to parse key from secret: key is empty"],
  ])("tells what is wrong with the key %j", async (name, message) => {
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "key"), Buffer.alloc(32, 1));
    await writeFile(join(folder, "large"), Buffer.alloc(1024 * 1024 + 1));
    for (const file of ["wrong.json", "wrong.PEM"]) await writeFile(join(folder, file), "hello");
    await writeFile(join(folder, "empty"), "");
    await expect((await open()).getKey(name)).rejects.toThrow(message.replace("FOLDER", folder));
    await expect(wrap(await open(), name)).rejects.toThrow("failed to retrieve the key encryption key: ");
  });

  it.each([
    ["", "failed to load metadata: metadata property 'path' is required"],
    [
      "FOLDER/none",
      "failed to load metadata: could not stat path 'FOLDER/none': stat FOLDER/none: no such file or directory",
    ],
    ["FOLDER/./file", "failed to load metadata: path 'FOLDER/file' is not a directory"],
  ])("refuses the path %j", async (path, message) => {
    await writeFile(join(folder, "file"), "");
    await expect(open(path.replace("FOLDER", folder))).rejects.toMatchObject({
      kind: "invalidMetadata",
      message: message.replaceAll("FOLDER", folder),
    });
  });
});
