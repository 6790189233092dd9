import type { Component } from "./component.ts";
import type { RequestMetadata } from "./request-metadata.ts";

/** One configuration value. */
export interface ConfigurationItem {
  readonly value: string;
  readonly version: string;
  readonly metadata: RequestMetadata;
}

/** Values by key. A key that was deleted appears in updates with an empty value and version. */
export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>;

export interface ConfigurationGetRequest {
  /** Empty: all keys. */
  readonly keys: readonly string[];
  readonly metadata: RequestMetadata;
}

/** Told of changes after the subscription stands, in order. */
export type ConfigurationListener = (items: ConfigurationItems) => void;

/** One live subscription. */
export interface ConfigurationSubscription {
  close(): Promise<void>;
}

/** A configuration store. Keys that do not exist are left out of answers. */
export interface ConfigurationStore extends Component {
  get(request: ConfigurationGetRequest): Promise<ConfigurationItems>;
  subscribe(request: ConfigurationGetRequest, listener: ConfigurationListener): Promise<ConfigurationSubscription>;
}
