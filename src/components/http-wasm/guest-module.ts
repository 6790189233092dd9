import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { goFileError } from "../../kit/go-file-error.ts";
import { fetchWhole } from "../../net/http/fetch-whole.ts";
import { FETCH_TIMEOUT_MS, MEMORY_PAGES_MAX, MODULE_BYTES_MAX, REDIRECTS_MAX } from "./limits.ts";
import { limitMemory } from "./memory-limit.ts";
import { type WasmModule, webAssembly } from "./webassembly.ts";

export interface GuestSource {
  readonly url: string;
  /** Where relative paths start. */
  readonly directory: string;
  readonly clock: Clock;
}

/** Reads or fetches a guest and compiles it. @throws Error in the words of Dapr's middleware */
export async function loadGuest(source: GuestSource, signal: AbortSignal): Promise<WasmModule> {
  let bytes: Uint8Array;
  try {
    bytes = await readGuest(source, signal);
  } catch (cause) {
    throw new Error(`wasm: failed to parse metadata: ${errorMessage(cause)}`, { cause });
  }
  let module: WasmModule;
  try {
    if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== "\0asm") {
      throw new Error("invalid magic number");
    }
    module = await webAssembly.compile(Uint8Array.from(limitMemory(bytes, MEMORY_PAGES_MAX)));
  } catch (cause) {
    throw new Error(`wasm: error compiling guest: ${errorMessage(cause)}`, { cause });
  }
  checkExports(module);
  return module;
}

async function readGuest({ url, directory, clock }: GuestSource, signal: AbortSignal): Promise<Uint8Array> {
  const colon = url.indexOf(":");
  if (colon === -1) {
    throw new Error(`invalid URL: ${url}`);
  }
  const scheme = url.slice(0, colon);
  if (scheme === "file") {
    return await readLimited(resolve(directory, url.slice("file://".length)));
  }
  if (scheme !== "http" && scheme !== "https") {
    throw new Error(`unsupported URL scheme: ${scheme}`);
  }
  const { status, body } = await fetchWhole(url, {
    method: "GET",
    headers: [],
    bytesMax: MODULE_BYTES_MAX,
    timeoutMs: FETCH_TIMEOUT_MS,
    redirectsMax: REDIRECTS_MAX,
    clock,
    signal,
  });
  if (status !== 200) {
    throw new Error(`received ${status} status code from ${JSON.stringify(url)}`);
  }
  return body;
}

async function readLimited(path: string): Promise<Uint8Array> {
  let size: number;
  try {
    ({ size } = await stat(path));
  } catch (cause) {
    throw new Error(goFileError("open", path, cause), { cause });
  }
  if (size > MODULE_BYTES_MAX) {
    throw new Error(`${path} has ${size} bytes, more than the limit of ${MODULE_BYTES_MAX}`);
  }
  return await readFile(path);
}

function checkExports(module: WasmModule): void {
  const exported = new Map(webAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  for (const name of ["handle_request", "handle_response"]) {
    if (exported.get(name) !== "function") {
      throw new Error(`wasm: guest doesn't export func[${name}]`);
    }
  }
  if (exported.get("memory") !== "memory") {
    throw new Error("wasm: guest doesn't export memory[memory]");
  }
}
