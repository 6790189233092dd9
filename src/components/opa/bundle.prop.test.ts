import { readFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { POLICY_BYTES_MAX, readPolicy } from "./bundle.ts";

const bundle = await readFile(new URL("testdata/policy.tar.gz", import.meta.url));
const archive = gunzipSync(bundle);

it("a bundle with any byte of it changed is a policy or an error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(archive.byteLength - 1), fc.nat(255), async (at, byte) => {
      const changed = Buffer.from(archive);
      changed[at] = byte;
      try {
        expect((await readPolicy(gzipSync(changed, { level: 1 }))).wasm.byteLength).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 50 },
  );
});

it("a bundle that unpacks to more than may be held is refused", async () => {
  await expect(readPolicy(gzipSync(Buffer.alloc(POLICY_BYTES_MAX + 1), { level: 1 }))).rejects.toThrow(
    `the bundle cannot be unpacked within ${POLICY_BYTES_MAX} bytes`,
  );
});

it("a bundle that ends anywhere is a policy or an error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(bundle.byteLength - 1), async (length) => {
      await expect(readPolicy(bundle.subarray(0, length))).rejects.toThrow(Error);
    }),
    { numRuns: 50 },
  );
});
