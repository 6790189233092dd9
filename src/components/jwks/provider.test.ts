import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ComponentDeps } from "../spi/component.ts";
import type { CryptoProvider } from "../spi/crypto.ts";
import { createJwks } from "./provider.ts";

const signal = new AbortController().signal;
const none = new Uint8Array(0);

let folder: string;
let logged: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outrigger-jwks-"));
  logged = [];
});
afterEach(() => rm(folder, { recursive: true }));

const logger: Logger = {
  ...silentLogger,
  error: (line) => void logged.push(line),
  warn: (line) => void logged.push(line),
};
const deps = (): ComponentDeps => ({
  name: "keys",
  appId: "app",
  namespace: "",
  logger,
  clock: new VirtualClock(),
  random: systemRandom,
  environment: {},
  report() {},
  shared: { acquire: (_key, create) => create() },
});

async function open(metadata: Readonly<Record<string, string>>, directory?: string): Promise<CryptoProvider> {
  const provider = createJwks({ ...deps(), directory });
  await provider.init(metadata, signal);
  return provider;
}

const setOf = (...kids: readonly string[]): string =>
  JSON.stringify({ keys: kids.map((kid) => ({ kty: "oct", kid, k: Buffer.alloc(32, 1).toString("base64url") })) });

/** Whether a provider has a symmetric key of this name. */
async function has(provider: CryptoProvider, keyName: string): Promise<boolean> {
  const request = { keyName, algorithm: "A256KW", plaintext: Buffer.alloc(16), nonce: none, associatedData: none };
  try {
    await provider.wrapKey(request);
    return true;
  } catch (error) {
    expect(error).toMatchObject({
      kind: "notFound",
      message: "failed to retrieve the key encryption key: key not found",
    });
    return false;
  }
}

describe("crypto.dapr.jwks", () => {
  it.each([
    ["JSON", (json: string) => json],
    ["base64", (json: string) => Buffer.from(json).toString("base64")],
    ["base64 without padding", (json: string) => Buffer.from(json).toString("base64").replace(/=+$/, "")],
  ])("takes a set as %s", async (_name, written) => {
    for (const kid of ["a", "ab", "abc"]) {
      const provider = await open({ jwks: written(setOf(kid)) });
      expect([await has(provider, kid), await has(provider, "b")]).toEqual([true, false]);
    }
  });

  it("reads a file again when it has changed, and keeps its keys when the file is gone or broken", async () => {
    const path = join(folder, "jwks.json");
    await writeFile(path, setOf("a"));
    const provider = await open({ jwks: "jwks.json" }, folder);
    expect(await has(provider, "a")).toBe(true);
    await writeFile(path, setOf("a", "second"));
    expect(await has(provider, "second")).toBe(true);
    await writeFile(path, "nope");
    expect([await has(provider, "second"), await has(provider, "second")]).toEqual([true, true]);
    expect(logged).toEqual([expect.stringContaining("Error reading JWKS from disk: failed to parse JWKS file: ")]);
    await rm(path);
    expect([await has(provider, "second"), await has(provider, "second")]).toEqual([true, true]);
    expect(logged.slice(1)).toEqual([
      `Error reading JWKS from disk: failed to read JWKS file: open ${path}: no such file or directory`,
    ]);
    await writeFile(path, setOf("third"));
    expect([await has(provider, "second"), await has(provider, "third")]).toEqual([false, true]);
  });

  it.each([
    [{}, "empty metadata properties"],
    [{ jwks: "" }, "failed to load metadata: metadata property 'jwks' is required"],
    [
      { jwks: "nope" },
      "failed to init cache: failed to parse property 'location': not a URL, path to local file, or JSON value (optionally base64-encoded)",
    ],
    [{ jwks: '{"keys":[{}]}' }, "failed to init cache: failed to parse property 'location'"],
  ])("refuses %j", async (metadata, message) => {
    await expect(open(metadata)).rejects.toMatchObject({ kind: "invalidMetadata" });
    await expect(open(metadata)).rejects.toThrow(message);
  });

  it("refuses a file that is no set", async () => {
    await writeFile(join(folder, "jwks.json"), "nope");
    await expect(open({ jwks: join(folder, "jwks.json") })).rejects.toThrow(
      "failed to init cache: failed to parse JWKS file: failed to unmarshal JSON into key hint",
    );
  });
});
