import { errorMessage } from "../../kit/error-message.ts";
import { ComponentError } from "../spi/errors.ts";
import { etagInvalid } from "../spi/etag-errors.ts";
import type { StateDeleteRequest, StateFence, StateSetRequest } from "../spi/state.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";
import type { RedisArgument } from "./client.ts";
import { parseGoInteger } from "./integers.ts";
import { asBuffer } from "./replies.ts";

export const NO_TTL = "0";

/** How an item is kept. */
export type StateFormat = "hash" | "json";

/**
 * The arguments of one write for the script.
 * @throws ComponentError for an etag or a time to live that is no integer
 */
export function setArguments(request: StateSetRequest, format: StateFormat, ttlDefault: string): RedisArgument[] {
  const kind = request.concurrency === "first-write" ? "first" : "set";
  const etag = request.concurrency === "last-write" ? "" : versionOf(request.etag ?? "");
  const value = format === "json" ? documentOf(request.value) : asBuffer(request.value);
  return [kind, etag, value, ttlOf(request.metadata, ttlDefault), format];
}

/** The arguments of one delete for the script. An etag that is no version matches nothing. */
export function deleteArguments({ etag, concurrency }: StateDeleteRequest, format: StateFormat): RedisArgument[] {
  return ["delete", concurrency === "last-write" || etag === "0" ? "" : (etag ?? ""), "", NO_TTL, format];
}

/** The arguments of a fence for the script: it stays for ever, whatever the component says of other items. */
export function fenceArguments({ expected, next }: StateFence, format: StateFormat): RedisArgument[] {
  const value = format === "json" ? documentOf(next) : asBuffer(next);
  return ["fence", expected === undefined ? "" : asBuffer(expected), value, NO_TTL, format];
}

/** Zero and less: for ever. */
export function ttlArgument(seconds: bigint): string {
  return seconds > 0n ? seconds.toString() : NO_TTL;
}

/** The version that an etag names; 0 names none. */
function versionOf(etag: string): string {
  if (etag === "") {
    return "";
  }
  try {
    const version = parseGoInteger(etag, "Atoi");
    return version === 0n ? "" : version.toString();
  } catch (error) {
    throw etagInvalid(errorMessage(error));
  }
}

function ttlOf(metadata: RequestMetadata, ttlDefault: string): string {
  const text = metadata["ttlInSeconds"] ?? "";
  if (text === "") {
    return ttlDefault;
  }
  try {
    return ttlArgument(parseGoInteger(text, "ParseInt"));
  } catch (error) {
    throw new ComponentError("invalidRequest", `failed to parse ttl from metadata: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Bytes that are no JSON, such as encrypted ones, go in as Go writes bytes: as a string in base64. */
function documentOf(value: Uint8Array): string {
  const text = asBuffer(value).toString();
  return `{"data":${isJson(text) ? text : JSON.stringify(asBuffer(value).toString("base64"))}}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
