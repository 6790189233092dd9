import type { HeaderList } from "../http/types.ts";
import type { Metadata } from "./types.ts";

/** Names that belong to the protocol or the connection. `grpc-trace-bin` and the like are metadata and not among them. */
const RESERVED: ReadonlySet<string> = new Set([
  "te",
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "trailer",
  "upgrade",
  "content-length",
  "content-type",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
  "grpc-message-type",
]);

/** Whether a name is never shown as metadata and never sent from it (gRPC over HTTP/2, "Custom-Metadata"). */
export function isReservedHeader(name: string): boolean {
  return RESERVED.has(name) || name.charCodeAt(0) === 58; /* : */
}

const KEY = /^[0-9a-z_.-]+$/;
const ASCII_VALUE = /^[\x20-\x7e]*$/;

/**
 * Metadata over the flat list that headers travel in: `-bin` values stay base64 until somebody asks for their bytes. Made
 * from a received list it hides the protocol's own headers.
 */
export class HeaderMetadata implements Metadata {
  private list: string[];
  private own: boolean;

  /** @param list what was received; it is not changed, a copy is made at the first write */
  constructor(list?: HeaderList) {
    this.list = (list ?? []) as string[];
    this.own = list === undefined;
  }

  /** The flat list, still with whatever protocol headers it was received with. */
  get raw(): HeaderList {
    return this.list;
  }

  get empty(): boolean {
    return this.list.length === 0;
  }

  get(key: string): string | undefined {
    const name = key.toLowerCase();
    if (isReservedHeader(name)) return undefined;
    return this.first(name);
  }

  getBinary(key: string): Uint8Array | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : firstBinary(value);
  }

  getAll(key: string): readonly (string | Uint8Array)[] {
    const name = key.toLowerCase();
    const values: (string | Uint8Array)[] = [];
    if (isReservedHeader(name)) return values;
    const binary = name.endsWith("-bin");
    for (let i = 0; i + 1 < this.list.length; i += 2) {
      if (this.list[i] !== name) continue;
      const value = this.list[i + 1] as string;
      if (!binary) values.push(value);
      else for (const part of value.split(",")) values.push(decodeBinary(part));
    }
    return values;
  }

  set(key: string, value: string | Uint8Array): void {
    this.delete(key);
    this.append(key, value);
  }

  /** @throws TypeError when the key or the value cannot travel as a header */
  append(key: string, value: string | Uint8Array): void {
    const name = key.toLowerCase();
    if (!KEY.test(name)) throw new TypeError(`"${key}" cannot be a metadata key`);
    if (isReservedHeader(name)) throw new TypeError(`the metadata key "${name}" is reserved by the protocol`);
    const text = encodeValue(name, value);
    this.writable().push(name, text);
  }

  delete(key: string): void {
    const name = key.toLowerCase();
    if (this.first(name) === undefined) return;
    const list = this.list;
    const kept: string[] = [];
    for (let i = 0; i + 1 < list.length; i += 2) {
      if (list[i] !== name) kept.push(list[i] as string, list[i + 1] as string);
    }
    this.list = kept;
    this.own = true;
  }

  *entries(): Generator<readonly [string, string | Uint8Array]> {
    const list = this.list;
    for (let i = 0; i + 1 < list.length; i += 2) {
      const name = list[i] as string;
      if (isReservedHeader(name)) continue;
      const value = list[i + 1] as string;
      if (!name.endsWith("-bin")) yield [name, value];
      else for (const part of value.split(",")) yield [name, decodeBinary(part)];
    }
  }

  toList(): string[] {
    const { list } = this;
    const texts: string[] = [];
    for (let i = 0; i + 1 < list.length; i += 2) {
      const name = list[i] as string;
      if (isReservedHeader(name)) continue;
      const value = list[i + 1] as string;
      if (!name.endsWith("-bin")) texts.push(name, value);
      else for (const part of value.split(",")) texts.push(name, paddedBinary(part));
    }
    return texts;
  }

  appendList(headers: HeaderList): void {
    const list = this.writable();
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] as string;
      const value = headers[i + 1] as string;
      list.push(name, name.endsWith("-bin") ? unpaddedBinary(value) : value);
    }
  }

  /** Adds what may travel to a list of headers. */
  appendTo(headers: string[]): void {
    const list = this.list;
    for (let i = 0; i + 1 < list.length; i += 2) {
      const name = list[i] as string;
      if (this.own || !isReservedHeader(name)) headers.push(name, list[i + 1] as string);
    }
  }

  private first(name: string): string | undefined {
    const list = this.list;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === name) return list[i + 1];
    }
    return undefined;
  }

  private writable(): string[] {
    if (!this.own) {
      const copy: string[] = [];
      this.appendTo(copy);
      this.list = copy;
      this.own = true;
    }
    return this.list;
  }
}

/** Metadata from keys and values, for callers and tests. */
export function metadataOf(values: Readonly<Record<string, string | Uint8Array>> = {}): HeaderMetadata {
  const metadata = new HeaderMetadata();
  for (const [key, value] of Object.entries(values)) metadata.append(key, value);
  return metadata;
}

/** Adds any metadata to a list of headers, encoding bytes. */
export function appendMetadata(metadata: Metadata, headers: string[]): void {
  if (metadata instanceof HeaderMetadata) {
    metadata.appendTo(headers);
    return;
  }
  for (const [key, value] of metadata.entries()) {
    if (!isReservedHeader(key)) headers.push(key, encodeValue(key, value));
  }
}

function encodeValue(name: string, value: string | Uint8Array): string {
  if (name.endsWith("-bin")) {
    const bytes =
      typeof value === "string"
        ? Buffer.from(value, "latin1")
        : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return encodeBinary(bytes);
  }
  if (typeof value !== "string") throw new TypeError(`the metadata key "${name}" must end in -bin to carry bytes`);
  if (!ASCII_VALUE.test(value))
    throw new TypeError(`the value of metadata key "${name}" has characters other than printable ASCII`);
  return value;
}

/** Base64 without padding, as senders should write it. */
export function encodeBinary(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return unpaddedBinary(text);
}

/** Base64 as others write it, with padding; what is no base64 is left out as decoders do. */
function paddedBinary(text: string): string {
  return Buffer.from(text.trim(), "base64").toString("base64");
}

function unpaddedBinary(text: string): string {
  const padding = text.indexOf("=");
  return padding < 0 ? text : text.slice(0, padding);
}

/** Base64 with or without padding, as receivers must take it. */
export function decodeBinary(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.trim(), "base64"));
}

/** Several values of a key may come joined by commas. */
function firstBinary(text: string): Uint8Array {
  const comma = text.indexOf(",");
  return decodeBinary(comma < 0 ? text : text.slice(0, comma));
}

/** First value of a header in a received list, whose names are lower case. */
export function headerOf(headers: HeaderList, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}
