import type { ComponentMetadata } from "../../components/spi/component.ts";

const SEPARATOR = "||";
const API_PREFIX = "lock";

/** A resource's name, or a store's `keyPrefix`, holds what separates them at rest. */
export class IllegalLockKeyError extends Error {
  override readonly name = "IllegalLockKeyError";

  constructor(key: string) {
    super(`input key/keyPrefix '${key}' can't contain '${SEPARATOR}'`);
  }
}

/**
 * What stands before every resource of a store, by its metadata `keyPrefix`: `appid` (default), `name`, `none`, or any
 * other text in lower case as it is.
 * @throws IllegalLockKeyError
 */
export function lockPrefix(metadata: ComponentMetadata, storeName: string, appId: string): string {
  const written = Object.entries(metadata).find(([name]) => name.toLowerCase() === "keyprefix");
  const strategy = written?.[1].toLowerCase() ?? "appid";
  refuseSeparator(strategy);
  switch (strategy) {
    case "none":
      return join("");
    case "name":
      return join(storeName);
    case "appid":
      return join(appId);
    default:
      return `${API_PREFIX}${SEPARATOR}${strategy}${SEPARATOR}`;
  }
}

/** The resource as the store knows it. @throws IllegalLockKeyError */
export function storedResource(prefix: string, resourceId: string): string {
  refuseSeparator(resourceId);
  return prefix + resourceId;
}

function join(part: string): string {
  return part === "" ? API_PREFIX + SEPARATOR : API_PREFIX + SEPARATOR + part + SEPARATOR;
}

function refuseSeparator(key: string): void {
  if (key.includes(SEPARATOR)) {
    throw new IllegalLockKeyError(key);
  }
}
