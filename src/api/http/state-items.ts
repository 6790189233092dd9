import { isUtf8 } from "node:buffer";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import { jsonFault } from "../../kit/json-scanner.ts";

/** One item of an answer; what is undefined is left out. */
export interface AnsweredItem {
  readonly key: string;
  readonly error?: string | undefined;
  readonly data?: Uint8Array | undefined;
  readonly etag?: string | undefined;
  readonly metadata?: RequestMetadata | undefined;
}

/**
 * Puts JSON together of texts and stored values; values go in as they were stored, uncopied until the end. `dataName` is
 * what the value's member is called.
 */
export class ItemsBody {
  readonly #dataName: string;
  readonly #parts: Uint8Array[] = [];
  #text: string;
  #isFirst = true;

  constructor(opening: string, dataName: string) {
    this.#text = opening;
    this.#dataName = dataName;
  }

  add({ key, error, data, etag, metadata }: AnsweredItem): void {
    this.#text += `${this.#isFirst ? "" : ","}{"key":${JSON.stringify(key)}`;
    this.#isFirst = false;
    this.#text += error === undefined ? "" : `,"error":${JSON.stringify(error)}`;
    if (data !== undefined) {
      this.#parts.push(Buffer.from(`${this.#text},"${this.#dataName}":`), jsonValueOf(data));
      this.#text = "";
    }
    this.#text += etag === undefined ? "" : `,"etag":${JSON.stringify(etag)}`;
    this.#text += metadata === undefined ? "}" : `,"metadata":${JSON.stringify(metadata)}}`;
  }

  end(closing: string): Uint8Array {
    this.#parts.push(Buffer.from(this.#text + closing));
    return Buffer.concat(this.#parts);
  }
}

/**
 * A stored value inside JSON. Values written over gRPC or decrypted need not be JSON: Dapr then answers with an empty
 * body and loses the other keys too; we give text as a JSON string and anything else as base64.
 */
function jsonValueOf(data: Uint8Array): Uint8Array {
  if (jsonFault(data) === undefined) {
    return data;
  }
  return Buffer.from(JSON.stringify(Buffer.from(data).toString(isUtf8(data) ? "utf8" : "base64")));
}
