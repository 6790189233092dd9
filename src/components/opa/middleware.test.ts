import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openMiddleware } from "../spi/middleware.fixture.ts";
import { opaManifest } from "./manifest.ts";

const directory = new URL("./testdata/", import.meta.url).pathname;
const bundle = await readFile(`${directory}policy.tar.gz`);
const open = (metadata: Record<string, string> = {}) =>
  openMiddleware(opaManifest, { policyPath: "policy.tar.gz", ...metadata }, { directory });

describe("a compiled policy", () => {
  it("decides by true and false", async () => {
    const { ask } = await open();
    expect(await ask("/open/door")).toMatchObject({ status: 200, passed: { target: "/open/door" } });
    const refused = await ask("/closed");
    expect(refused).toMatchObject({ status: 403, text: "Forbidden", passed: undefined });
    expect(refused.header("x-dapr-opa-error")).toBeUndefined();
  });

  it("refuses with a status and headers of its own", async () => {
    const { ask } = await open({ defaultStatus: "500" });
    const moved = await ask("/moved");
    expect([moved.status, moved.text, moved.header("location"), moved.header("x-reason")]).toEqual([
      301,
      "Moved Permanently",
      "https://sign.in.test/",
      "nobody",
    ]);
    expect((await ask("/closed")).status).toBe(500);
  });

  it("sees the headers it was promised and no others, and its data", async () => {
    const headers = ["x-key", "k1", "X-User", "forged"];
    const seeing = await (await open({ includedHeaders: "x-other, X-KEY" })).ask("/keyed", { headers });
    expect([seeing.status, seeing.passed?.headers]).toEqual([200, ["x-key", "k1", "X-User", "alice"]]);
    expect((await (await open({ includedHeaders: "x-other" })).ask("/keyed", { headers })).status).toBe(403);
  });

  it("sees the query, and the body where it is told to", async () => {
    const { ask } = await open();
    expect((await ask("/query?name=a&name=b+c")).status).toBe(200);
    expect((await ask("/query?name=a")).status).toBe(403);
    const post = { method: "POST", body: Buffer.from("please") };
    expect((await ask("/body", post)).status).toBe(403);
    const reading = await open({ readBody: "true" });
    expect(await reading.ask("/body", post)).toMatchObject({ status: 200, text: "please" });
    await expect(reading.ask("/body", { method: "POST", body: Buffer.alloc(1025) })).rejects.toThrow("1024");
  });

  it.each([
    ["/number", "http/allow", "got an invalid type back from repo policy. Only a boolean or map is valid"],
    ["/no", "http/maybe", "received no results back from rego policy. Are you setting data.http.allow?"],
    ["/smuggle", "http/allow", 'header "x-bad" has a name or value that HTTP does not allow'],
  ])("%s of %s is an error, and refused", async (path, entrypoint, reason) => {
    const { ask, logged } = await open({ entrypoint });
    const asked = await ask(path);
    expect([asked.status, asked.header("x-dapr-opa-error"), asked.passed]).toEqual([403, "true", undefined]);
    expect(logged).toEqual([`warn: Error procesing rego policy: ${reason}`]);
  });

  it("holds for a thousand requests one after the other", async () => {
    const { ask } = await open({ readBody: "true" });
    const body = Buffer.alloc(1024, "x");
    for (let round = 0; round < 1_000; round += 1) {
      expect((await ask(round % 2 === 0 ? "/open" : "/shut", { body })).status).toBe(round % 2 === 0 ? 200 : 403);
    }
  });
});

describe("the policy's forms", () => {
  it.each([
    ["a bundle in base64", bundle],
    ["a module in base64", moduleOf(bundle)],
  ])("%s", async (_what, bytes) => {
    const { ask } = await openMiddleware(opaManifest, { policyBase64: Buffer.from(bytes).toString("base64") });
    expect([(await ask("/open")).status, (await ask("/shut")).status]).toEqual([200, 403]);
  });

  it.each([
    [{}, "metadata field policyPath or policyBase64 is required"],
    [{ rego: "package http\nallow = true" }, 'compile it with "opa build -t wasm -e http/allow policy.rego"'],
    [{ policyPath: "nowhere.tar.gz" }, "nowhere.tar.gz: no such file or directory"],
    [{ policyBase64: "bm9uZQ==" }, "it is neither a bundle (tar.gz) nor a WebAssembly module"],
    [{ policyBase64: Buffer.from("\0asm").toString("base64") }, "failed to load the policy: "],
    [{ policyBase64: bundle.subarray(0, 1000).toString("base64") }, "the bundle cannot be unpacked within"],
    [
      { policyPath: "policy.tar.gz", entrypoint: "http/deny" },
      "the policy has no entrypoint http/deny, only http/allow",
    ],
    [{ policyPath: "policy.tar.gz", defaultStatus: "600" }, "invalid status value 600 expected in range [100-599]"],
  ])("%j does not start", async (metadata, message) => {
    await expect(openMiddleware(opaManifest, metadata as Record<string, string>, { directory })).rejects.toThrow(
      message,
    );
  });
});

/** The `policy.wasm` of a bundle. */
function moduleOf(archive: Buffer): Buffer {
  const tar = gunzipSync(archive);
  const from = tar.indexOf("\0asm");
  const size = Number.parseInt(tar.toString("latin1", from - 512 + 124, from - 512 + 135), 8);
  return tar.subarray(from, from + size);
}
