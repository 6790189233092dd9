import type { Random } from "../../kit/random.ts";
import type { DocumentCipher, KeyWrapAlgorithm } from "./algorithms.ts";
import { DocumentError } from "./document-error.ts";
import { readHeader } from "./document-header.ts";
import { encodeManifest, parseManifest } from "./document-manifest.ts";
import { FILE_KEY_BYTES, FileKey, SEGMENT_BYTES, TAG_BYTES } from "./file-key.ts";
import { mapSegments } from "./segments.ts";

/*
 * Documents in Dapr's scheme `dapr.io/enc/v1` (kit/schemes/enc/v1): a header of three lines – name, manifest, MAC –, then
 * segments, each encrypted for itself, so that neither side holds more than one.
 */

export interface EncryptOptions {
  readonly keyWrapAlgorithm: KeyWrapAlgorithm;
  readonly cipher: DocumentCipher;
  /** The name to write into the manifest; empty: none. */
  readonly recordedKeyName: string;
  readonly random: Random;
  /** Wraps the document's key. */
  wrap(key: Uint8Array): Promise<Uint8Array>;
}

export interface DecryptOptions {
  /** The key to use instead of the one in the manifest; empty: that one. */
  readonly keyName: string;
  /** Unwraps the document's key; undefined when that failed, which shows as a signature that does not fit. */
  unwrap(wrappedKey: Uint8Array, algorithm: KeyWrapAlgorithm, keyName: string): Promise<Uint8Array | undefined>;
}

/**
 * Begins a document: resolves when its key has been wrapped, before any plaintext is read.
 * @returns the header, then one chunk for each segment
 */
export async function encryptDocument(
  plaintext: AsyncIterable<Uint8Array>,
  options: EncryptOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { keyWrapAlgorithm, cipher, recordedKeyName, random } = options;
  const key = FileKey.generate(random, cipher);
  const wrappedKey = await options.wrap(key.bytes);
  const { noncePrefix } = key;
  const header = key.header(
    encodeManifest({ keyName: recordedKeyName, keyWrapAlgorithm, wrappedKey, cipher, noncePrefix }),
  );
  const seal = (segment: Uint8Array, number: number, last: boolean) => key.sealSegment(segment, number, last);
  return startingWith([header], mapSegments(plaintext, SEGMENT_BYTES, seal));
}

/**
 * Begins to read a document: resolves when its header has proved to be that of the key.
 * @returns one chunk for each segment, none of it before it has been authenticated; it throws DocumentError
 * @throws DocumentError
 */
export async function decryptDocument(
  ciphertext: AsyncIterable<Uint8Array>,
  options: DecryptOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const source = ciphertext[Symbol.asyncIterator]();
  try {
    const header = await readHeader(source);
    const manifest = parseManifest(header.manifest);
    if (manifest === undefined) {
      throw new DocumentError("invalid header: invalid manifest");
    }
    const keyName = options.keyName === "" ? manifest.keyName : options.keyName;
    if (keyName === "") {
      throw new DocumentError("document's manifest does not contain a key name, and no key name was provided");
    }
    const unwrapped = await options.unwrap(manifest.wrappedKey, manifest.keyWrapAlgorithm, keyName);
    // Whoever guesses key names learns no more than that the signature does not fit.
    const bytes = unwrapped?.length === FILE_KEY_BYTES ? unwrapped : new Uint8Array(FILE_KEY_BYTES);
    const key = new FileKey(bytes, manifest.noncePrefix, manifest.cipher);
    key.checkHeader(header.manifest, header.mac);
    const open = (segment: Uint8Array, number: number, last: boolean) => key.openSegment(segment, number, last);
    return mapSegments(continued(header.rest, source), SEGMENT_BYTES + TAG_BYTES, open);
  } catch (error) {
    await source.return?.();
    throw error;
  }
}

async function* startingWith(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* first;
  yield* rest;
}

/** The rest of a source that has been read in part. */
function continued(first: readonly Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  return startingWith(first, { [Symbol.asyncIterator]: () => source });
}
