import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { errorMessage } from "../../kit/error-message.ts";

/** Bytes of a compiled policy with its data, unpacked. */
export const POLICY_BYTES_MAX = 64 * 1024 * 1024;

const BLOCK_BYTES = 512;
const REGULAR_FILE = /^[0\0]$/;

/** A policy as it is loaded. */
export interface CompiledPolicy {
  readonly wasm: Uint8Array;
  /** The bundle's `data.json`; undefined: there is none. */
  readonly data: object | undefined;
}

/** Reads what `opa build -t wasm` has written, or the module in it. @throws Error saying what is wrong with it */
export async function readPolicy(bytes: Uint8Array): Promise<CompiledPolicy> {
  if (bytes.byteLength > POLICY_BYTES_MAX) {
    throw new Error(`the policy has ${bytes.byteLength} bytes, more than the limit of ${POLICY_BYTES_MAX}`);
  }
  if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "\0asm") {
    return { wasm: bytes, data: undefined };
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    throw new Error("it is neither a bundle (tar.gz) nor a WebAssembly module");
  }
  const files = untar(await unzip(bytes));
  const wasm = files.get("policy.wasm");
  if (wasm === undefined) {
    throw new Error('the bundle has no policy.wasm: build it with "opa build -t wasm"');
  }
  const data = files.get("data.json");
  return { wasm, data: data === undefined ? undefined : parseData(data) };
}

async function unzip(bytes: Uint8Array): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: POLICY_BYTES_MAX });
  } catch (cause) {
    throw new Error(`the bundle cannot be unpacked within ${POLICY_BYTES_MAX} bytes: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

/** Regular files of a tar archive by name without leading slash (POSIX.1-1988 ustar, which Go's writer makes). */
function untar(archive: Buffer): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + BLOCK_BYTES <= archive.byteLength;) {
    const name = textAt(archive, at, 100);
    const size = Number.parseInt(textAt(archive, at + 124, 12).trim() || "0", 8);
    if (name === "") {
      break;
    }
    const from = at + BLOCK_BYTES;
    if (!Number.isSafeInteger(size) || size < 0 || from + size > archive.byteLength) {
      throw new Error(`the bundle is cut off or damaged at ${JSON.stringify(name)}`);
    }
    if (REGULAR_FILE.test(archive.toString("latin1", at + 156, at + 157))) {
      files.set(name.replace(/^[./]*\//, ""), archive.subarray(from, from + size));
    }
    at = from + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return files;
}

function textAt(archive: Buffer, from: number, length: number): string {
  const text = archive.toString("latin1", from, from + length);
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}

function parseData(bytes: Uint8Array): object {
  const value = JSON.parse(Buffer.from(bytes).toString()) as unknown;
  if (typeof value !== "object" || value === null) {
    throw new Error("the bundle's data.json is no object");
  }
  return value;
}
