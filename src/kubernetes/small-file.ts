import { readFile } from "node:fs/promises";
import { errorMessage } from "../kit/error-message.ts";
import { CONFIG_BYTES_MAX } from "./limits.ts";

/** @throws Error naming the file */
export async function readSmallFile(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${errorMessage(cause)}`, { cause });
  }
  if (bytes.length > CONFIG_BYTES_MAX) {
    throw new Error(`${path} has ${bytes.length} bytes, more than the limit of ${CONFIG_BYTES_MAX}`);
  }
  return bytes.toString("utf8");
}
