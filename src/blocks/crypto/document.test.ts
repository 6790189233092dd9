import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bytesOf, chunksOf, cut, pattern, testCrypto } from "./crypto.fixture.ts";
import { SCHEME_NAME, SEGMENT_BYTES as SEGMENT } from "./file-key.ts";

interface Vectors {
  readonly keys: Readonly<Record<string, unknown>>;
  readonly documents: readonly {
    readonly keyWrapAlgorithm: string;
    readonly cipher: string;
    readonly plaintextBytes: number;
    readonly document: string;
  }[];
}

/** Documents that daprd 1.18.3 has encrypted with these keys; their plaintext is `pattern`. */
const vectors = JSON.parse(readFileSync(new URL("testdata/daprd-documents.json", import.meta.url), "utf8")) as Vectors;

const { block } = testCrypto({
  "wrapping-key": vectors.keys["A256KW"] as string,
  "rsa.json": JSON.stringify(vectors.keys["RSA-OAEP-256"]),
  other: Buffer.alloc(32, 1).toString("base64"),
});
const vault = block.provider("vault");
const asked = {
  keyName: "wrapping-key",
  keyWrapAlgorithm: "A256KW",
  cipher: "",
  omitKeyName: false,
  decryptionKeyName: "",
};

async function encrypted(plaintext: Uint8Array, options: Partial<typeof asked> = {}): Promise<Buffer> {
  return bytesOf(await vault.encrypt({ ...asked, ...options }, cut(plaintext, 100_000)));
}

async function decrypted(document: Uint8Array, chunk = 10_000, keyName = ""): Promise<Buffer> {
  return bytesOf(await vault.decrypt({ keyName }, cut(document, chunk)));
}

function headerOf(document: Buffer): { readonly lines: readonly string[]; readonly bytes: number } {
  const lines = document.toString("latin1", 0, SEGMENT).split("\n").slice(0, 3);
  return { lines, bytes: lines.join("\n").length + 1 };
}

describe("documents of daprd", () => {
  it.each(vectors.documents)(
    "with $keyWrapAlgorithm, $cipher and $plaintextBytes bytes are decrypted",
    async ({ document, plaintextBytes }) => {
      const bytes = Buffer.from(document, "base64");
      for (const chunk of [1_000, SEGMENT, 1_000_000]) {
        expect((await decrypted(bytes, chunk)).equals(pattern(plaintextBytes))).toBe(true);
      }
    },
  );

  it.each(vectors.documents)(
    "with $keyWrapAlgorithm, $cipher and $plaintextBytes bytes look as ours do",
    async ({ document, plaintextBytes, keyWrapAlgorithm, cipher }) => {
      const theirs = Buffer.from(document, "base64");
      const keyName = keyWrapAlgorithm === "A256KW" ? "wrapping-key" : "rsa.json";
      const ours = await encrypted(pattern(plaintextBytes), { keyName, keyWrapAlgorithm, cipher });
      // What differs from document to document: the wrapped key, the nonce and the MAC, all of the same length.
      const shape = (bytes: Buffer): string =>
        headerOf(bytes)
          .lines.join("\n")
          .replace(/"(wfk|np)":"[^"]*"/g, '"$1":""')
          .replace(/\n[^\n]*$/, "");
      expect(shape(ours)).toBe(shape(theirs));
      expect(ours.length).toBe(theirs.length);
    },
  );
});

describe("documents of ours", () => {
  it.each([0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 1])(
    "of %i bytes are decrypted, however they are cut",
    async (length) => {
      for (const cipher of ["aes-gcm", "chacha20-poly1305"]) {
        const document = await encrypted(pattern(length), { cipher });
        expect(document.length - headerOf(document).bytes).toBe(length + 16 * Math.ceil(length / SEGMENT));
        expect((await decrypted(document, 777)).equals(pattern(length))).toBe(true);
      }
    },
  );

  it("give one chunk for the header and one for each segment, when it is asked for", async () => {
    let read = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; read < 4; read += 1) {
        yield pattern(SEGMENT);
      }
    }
    const document = (await vault.encrypt(asked, source()))[Symbol.asyncIterator]();
    const next = async (): Promise<number> => ((await document.next()).value as Uint8Array).length;
    expect([(await next()) < 300, read]).toEqual([true, 0]);
    expect([await next(), read]).toEqual([SEGMENT + 16, 1]);
    expect([await next(), read]).toEqual([SEGMENT + 16, 2]);
    await document.return?.();
  });

  it("let others have their turn while a large chunk is worked on", async () => {
    let turns = 0;
    let next: NodeJS.Immediate | undefined;
    const turn = (): void => {
      turns += 1;
      next = setImmediate(turn);
    };
    next = setImmediate(turn);
    await bytesOf(await vault.encrypt(asked, chunksOf(pattern(40 * SEGMENT))));
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(2);
  });

  it.each([
    [{}, "wrapping-key"],
    [{ decryptionKeyName: "name/version" }, "name/version"],
    [{ omitKeyName: true }, undefined],
    [{ omitKeyName: true, decryptionKeyName: "x" }, undefined],
    [{ decryptionKeyName: '<&>\u2028"\\' }, '<&>\u2028"\\'],
  ])("asked for with %j name the key %j", async (options, name) => {
    const [, manifest = ""] = headerOf(await encrypted(pattern(1), options)).lines;
    expect((JSON.parse(manifest) as { k?: string }).k).toBe(name);
    expect(manifest).not.toMatch(/[<&>\u2028]/);
  });

  it("without a name need one, and a given name wins", async () => {
    const document = await encrypted(pattern(9), { omitKeyName: true });
    await expect(decrypted(document)).rejects.toThrow(
      "failed to perform operation: document's manifest does not contain a key name, and no key name was provided",
    );
    expect((await decrypted(document, 99, "wrapping-key")).equals(pattern(9))).toBe(true);
    const named = await encrypted(pattern(9), { decryptionKeyName: "nobody" });
    expect((await decrypted(named, 99, "wrapping-key")).equals(pattern(9))).toBe(true);
  });
});

describe("what is wrong with a document", () => {
  const changed = (bytes: Uint8Array, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  it.each([
    ["", "invalid header: scheme name not found"],
    [SCHEME_NAME, "invalid header: scheme name not found"],
    ["\n", "invalid header: invalid format"],
    ["dapr.io/enc/v2\n", "invalid header: unsupported scheme"],
    ["dapr.io/enc/v1\n{}", "invalid header: manifest not found"],
    ["dapr.io/enc/v1\n\n", "invalid header: invalid format"],
    ["dapr.io/enc/v1\n{}\nAA==", "invalid header: message authentication code not found"],
    ["dapr.io/enc/v1\n{}\nAA==\n", "invalid header: invalid manifest"],
    ["dapr.io/enc/v1\nnull\nAA==\n", "invalid header: invalid manifest"],
    ["x".repeat(SEGMENT + 1), "invalid header: scheme name not found"],
    [`dapr.io/enc/v1\n${"x".repeat(SEGMENT)}\nAA==\n`, "invalid header: manifest not found"],
  ])("is told: %#", async (document, message) => {
    await expect(decrypted(Buffer.from(document), 5_000)).rejects.toMatchObject({
      message: `failed to perform operation: ${message}`,
      entry: { code: "ERR_CRYPTO" },
    });
  });

  it.each([
    ["kw", "9"],
    ["kw", '"1"'],
    ["wfk", '""'],
    ["wfk", '"A"'],
    ["cph", "3"],
    ["np", '"AAAA"'],
    ["np", "null"],
    ["k", "1"],
  ])("does not say which member of its manifest: %s %s", async (member, value) => {
    const [scheme, manifest = "", mac] = headerOf(await encrypted(pattern(1))).lines;
    const wrong = manifest.replace(new RegExp(`"${member}":("[^"]*"|[0-9]+)`), `"${member}":${value}`);
    await expect(decrypted(Buffer.from(`${scheme}\n${wrong}\n${mac}\n`))).rejects.toThrow(
      "invalid header: invalid manifest",
    );
  });

  it.each(["other", "nobody", "broken", "rsa.json"])("does not say whether the key %s is there", async (keyName) => {
    const document = await encrypted(pattern(1));
    await expect(decrypted(document, 100, keyName)).rejects.toThrow("failed to validate the document's signature");
  });

  it("names the place in a signature that is no base64", async () => {
    const [scheme, manifest] = headerOf(await encrypted(pattern(1))).lines;
    await expect(decrypted(Buffer.from(`${scheme}\n${manifest}\nAA!A\n`))).rejects.toThrow(
      "failed to decode header's signature: illegal base64 data at input byte 2",
    );
  });

  it("shows at the segment that was changed, cut off, moved or added, after those before it", async () => {
    const plaintext = pattern(3 * SEGMENT);
    const document = await encrypted(plaintext);
    const start = headerOf(document).bytes;
    const segment = SEGMENT + 16;
    const part = (from: number, to?: number): Buffer =>
      document.subarray(start + from, to === undefined ? undefined : start + to);
    const head = document.subarray(0, start);
    const cases: [Buffer, number][] = [
      [changed(document, start), 0],
      [changed(document, start + segment + 5), 1],
      [changed(document, document.length - 1), 2],
      [document.subarray(0, document.length - 1), 2],
      [document.subarray(0, start + 2 * segment), 1],
      [document.subarray(0, start + 2 * segment + 3), 2],
      [Buffer.concat([document, Buffer.from("x")]), 2],
      [Buffer.concat([head, part(segment, 2 * segment), part(0, segment), part(2 * segment)]), 0],
    ];
    for (const [wrong, number] of cases) {
      const read: Uint8Array[] = [];
      const reading = async (): Promise<void> => {
        for await (const chunk of await vault.decrypt({ keyName: "" }, cut(wrong, 50_000))) read.push(chunk);
      };
      await expect(reading()).rejects.toThrow(
        `failed to perform operation: error processing segment ${number}: failed to decrypt segment`,
      );
      expect(Buffer.concat(read).equals(plaintext.subarray(0, number * SEGMENT))).toBe(true);
    }
  });

  it("gives its source up", async () => {
    let over = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from("nonsense\n");
      } finally {
        over = true;
      }
    }
    await expect(vault.decrypt({ keyName: "" }, source())).rejects.toThrow("unsupported scheme");
    expect(over).toBe(true);
  });
});
