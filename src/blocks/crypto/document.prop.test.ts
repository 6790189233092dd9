import fc from "fast-check";
import { expect, test } from "vitest";
import { ApiError } from "../../errors/error.ts";
import { bytesOf, chunksOf, pattern, testCrypto } from "./crypto.fixture.ts";
import { SEGMENT_BYTES as SEGMENT } from "./file-key.ts";

const { block } = testCrypto({ key: Buffer.alloc(32, 7).toString("base64") });
const vault = block.provider("vault");
const asked = { keyName: "key", keyWrapAlgorithm: "AES", cipher: "", omitKeyName: false, decryptionKeyName: "" };

const lengths = fc.oneof(fc.nat(300), fc.constantFrom(SEGMENT - 1, SEGMENT, SEGMENT + 1), fc.nat(3 * SEGMENT));
const cuts = fc.array(fc.oneof(fc.nat(200), fc.nat(2 * SEGMENT)), { maxLength: 8 });
const ciphers = fc.constantFrom("AES-GCM", "CHACHA20-POLY1305");

/** The bytes in chunks of these sizes, some of them empty, the rest in one. */
function inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at = Math.min(bytes.length, at + size);
  }
  return chunksOf(...chunks, bytes.subarray(at));
}

test("what was encrypted is decrypted, whatever its length and however both streams are cut", async () => {
  await fc.assert(
    fc.asyncProperty(lengths, ciphers, cuts, cuts, async (length, cipher, plainCuts, documentCuts) => {
      const plaintext = pattern(length);
      const document = await bytesOf(await vault.encrypt({ ...asked, cipher }, inChunks(plaintext, plainCuts)));
      const read = await bytesOf(await vault.decrypt({ keyName: "" }, inChunks(document, documentCuts)));
      expect(read.equals(plaintext)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

type Mutation =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "remove"; readonly at: number; readonly count: number };

const places = fc.oneof(fc.nat(300), fc.nat(3 * SEGMENT));
const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), at: places, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: places,
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.constantFrom(Buffer.from("\n"), Buffer.from("=")),
    ),
  }),
  fc.record({ kind: fc.constant("remove" as const), at: places, count: fc.integer({ min: 1, max: SEGMENT }) }),
);

function mutated(document: Buffer, mutation: Mutation): Buffer {
  const at = mutation.at % (document.length + (mutation.kind === "insert" ? 1 : 0));
  const [before, after] = [document.subarray(0, at), document.subarray(at)];
  switch (mutation.kind) {
    case "flip":
      return Buffer.concat([before, Buffer.of((after[0] ?? 0) ^ (1 << mutation.bit)), after.subarray(1)]);
    case "insert":
      return Buffer.concat([before, mutation.bytes, after]);
    case "remove":
      return Buffer.concat([before, after.subarray(mutation.count)]);
  }
}

test("a document that was changed gives an error of the catalogue, and no byte that was not encrypted", async () => {
  await fc.assert(
    fc.asyncProperty(
      lengths,
      ciphers,
      fc.array(mutations, { minLength: 1, maxLength: 3 }),
      cuts,
      async (length, cipher, changes, sizes) => {
        const plaintext = pattern(length);
        const document = await bytesOf(await vault.encrypt({ ...asked, cipher }, chunksOf(plaintext)));
        const wrong = changes.reduce(mutated, document);
        fc.pre(!wrong.equals(document));
        const read: Uint8Array[] = [];
        let failure: unknown;
        try {
          for await (const chunk of await vault.decrypt({ keyName: "" }, inChunks(wrong, sizes))) read.push(chunk);
        } catch (error) {
          failure = error;
        }
        const given = Buffer.concat(read);
        expect(given.equals(plaintext.subarray(0, given.length))).toBe(true);
        if (failure === undefined) {
          // All that a reader passes over: what stands for the same base64 in the MAC, and a document cut behind its header.
          const third = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.indexOf(10, bytes.indexOf(10) + 1) + 1);
          expect(third(wrong).equals(third(document))).toBe(true);
          expect([0, plaintext.length]).toContain(given.length);
        } else {
          expect(failure).toBeInstanceOf(ApiError);
          expect((failure as ApiError).entry.code).toBe("ERR_CRYPTO");
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("no bytes crash the reader of a header", async () => {
  const line = fc.oneof(
    fc.constantFrom("dapr.io/enc/v1", "", "{}", "AAAA", '{"kw":1,"wfk":"AA==","cph":1,"np":"AAAAAAAAAA=="}'),
    fc.json(),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 5 }), fc.uint8Array(), cuts, async (lines, rest, sizes) => {
      const bytes = Buffer.concat([Buffer.from(lines.join("\n")), rest]);
      const failure: unknown = await vault
        .decrypt({ keyName: "key" }, inChunks(bytes, sizes))
        .then(bytesOf, (error: unknown) => error);
      expect(failure).toBeInstanceOf(ApiError);
    }),
    { numRuns: 500 },
  );
});
