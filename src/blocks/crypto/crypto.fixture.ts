import { ComponentError } from "../../components/spi/errors.ts";
import type { ComponentManifest } from "../../components/spi/component.ts";
import type { CryptoProvider } from "../../components/spi/crypto.ts";
import { keyNotFound, LocalCryptoProvider } from "../../components/spi/local-crypto.ts";
import { LiveView } from "../../inventory/view.ts";
import type { Key } from "../../kit/crypto/key.ts";
import { parseKey } from "../../kit/crypto/parse-key.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { type CryptoBlock, type CryptoBlockOptions, createCryptoBlock } from "./crypto-block.ts";

const manifest: ComponentManifest<CryptoProvider> = {
  family: "crypto",
  type: "crypto.fake",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: [],
  load: () => Promise.reject(new Error("not in these tests")),
};

/** A provider over keys as text; the key `broken` cannot be had. */
class FakeProvider extends LocalCryptoProvider {
  readonly #keys: Readonly<Record<string, string>>;

  constructor(keys: Readonly<Record<string, string>>) {
    super();
    this.#keys = keys;
  }

  async init(): Promise<void> {}
  async close(): Promise<void> {}

  protected async retrieve(keyName: string): Promise<Key> {
    if (keyName === "broken") {
      throw new ComponentError("unavailable", "the vault is gone");
    }
    const text = this.#keys[keyName];
    if (text === undefined) {
      throw keyNotFound();
    }
    return parseKey(Buffer.from(text));
  }
}

/** A block with one provider named `vault`, which can be taken away. */
export function testCrypto(
  keys: Readonly<Record<string, string>>,
  options: Partial<CryptoBlockOptions> = {},
): { readonly block: CryptoBlock; readonly providers: LiveView<CryptoProvider> } {
  const providers = new LiveView<CryptoProvider>();
  const block = createCryptoBlock({
    providers,
    clock: new VirtualClock(),
    random: systemRandom,
    logger: silentLogger,
    ...options,
  });
  const component = new FakeProvider(keys);
  providers.set({ name: "vault", manifest, version: "v1", metadata: {}, secretNames: {}, component });
  return { block, providers };
}

/** A stream of these chunks. */
export async function* chunksOf(...chunks: readonly (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  }
}

/** The bytes cut into chunks of a size. */
export function cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const count = Math.ceil(bytes.length / size);
  return chunksOf(...Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)));
}

/** All bytes of a stream. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Bytes that are easy to make again. */
export function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31) % 251));
}
