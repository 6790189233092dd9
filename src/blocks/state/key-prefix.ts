import type { ComponentMetadata } from "../../components/spi/component.ts";
import { illegalKey } from "./errors.ts";

/** Between the prefix and the caller's key; neither may contain it, so that keys of two apps never meet. */
export const SEPARATOR = "||";

const METADATA_KEY = "keyprefix";

/** Who asks: the app that owns the keys. */
export interface KeyOwner {
  readonly appId: string;
  /** Empty when the sidecar runs without one. */
  readonly namespace: string;
}

/**
 * What goes before every key of a store, by its metadata `keyPrefix` (matched without case): `appid` (the default),
 * `name`, `namespace`, `none`, or any other text, lower-cased. It decides where rows lie, so it is Dapr's
 * (pkg/components/state/state_config.go), empty app ids and the fallback for an absent namespace included.
 * @throws ApiError when the text holds the separator
 */
export function keyPrefixOf(store: string, metadata: ComponentMetadata, owner: KeyOwner): string {
  const name = Object.keys(metadata).find((key) => key.toLowerCase() === METADATA_KEY);
  const strategy = name === undefined ? "appid" : (metadata[name] ?? "").toLowerCase();
  if (strategy.includes(SEPARATOR)) {
    throw illegalKey(store, strategy);
  }
  switch (strategy) {
    case "none":
      return "";
    case "name":
      return store + SEPARATOR;
    case "appid":
      return owner.appId === "" ? "" : owner.appId + SEPARATOR;
    case "namespace":
      if (owner.appId === "") {
        return "";
      }
      return (owner.namespace === "" ? owner.appId : `${owner.namespace}.${owner.appId}`) + SEPARATOR;
    default:
      return strategy + SEPARATOR;
  }
}

/** @throws ApiError for a key that holds the separator */
export function storedKey(store: string, prefix: string, key: string): string {
  if (key.includes(SEPARATOR)) {
    throw illegalKey(store, key);
  }
  return prefix + key;
}
