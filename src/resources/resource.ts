/** Where a resource was written; line counts from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

/** What every resource kind has. */
export interface Resource {
  readonly name: string;
  /** Empty: none was written, the resource is for every namespace. */
  readonly namespace: string;
  /** App ids the resource is for; empty: all. */
  readonly scopes: readonly string[];
  readonly origin: Origin;
}

/** A reference to one value in a secret store. */
export interface SecretKeyRef {
  readonly name: string;
  /** Part of the secret; the secret's own name where none was written. */
  readonly key: string;
}

/** One entry of `spec.metadata` or of a header list. */
export interface NameValuePair {
  readonly name: string;
  /** The value as components get it: strings as written, anything else as JSON text. Undefined: none was written. */
  readonly value: string | undefined;
  readonly secretKeyRef: SecretKeyRef | undefined;
  /** Name of an environment variable; empty: none. */
  readonly envRef: string;
}

/** `name (type/version)`, or `name (type)` without a version: how log lines and errors call a component. */
export function componentLogName(name: string, type: string, version: string): string {
  return version === "" ? `${name} (${type})` : `${name} (${type}/${version})`;
}
