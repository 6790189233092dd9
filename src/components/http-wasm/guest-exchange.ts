import { BUFFER_RESPONSE, type GuestRequest, type GuestResponse } from "./guest-messages.ts";
import { WRITTEN_BYTES_MAX } from "./limits.ts";

/** What of an exchange a guest may change, and when: the request before the next handler, the answer of that one only when it is held. */
export class GuestExchange {
  features: number;
  readonly request: GuestRequest;
  readonly response: GuestResponse;
  readonly #afterNext: boolean;
  readonly #written: { request: Uint8Array[] | undefined; response: Uint8Array[] | undefined } = {
    request: undefined,
    response: undefined,
  };
  #writtenBytes = 0;
  /** How much of the next handler's body has been read. */
  #readBytes = 0;

  constructor(request: GuestRequest, response: GuestResponse, features: number, afterNext: boolean) {
    this.request = request;
    this.response = response;
    this.features = features;
    this.#afterNext = afterNext;
  }

  /** @throws Error when the next handler has had the request */
  changeRequest(what: string): GuestRequest {
    if (this.#afterNext) {
      throw new Error(`can't ${what} after next handler`);
    }
    return this.request;
  }

  /** @throws Error when the next handler's answer is not held */
  changeResponse(what: string): GuestResponse {
    if (this.#afterNext && (this.features & BUFFER_RESPONSE) === 0) {
      throw new Error(`can't ${what} after next handler unless buffer_response is enabled`);
    }
    return this.response;
  }

  /** The first piece that a guest writes takes the place of the body there was; further ones follow it. */
  write(which: "request" | "response", bytes: Uint8Array): void {
    this.#writtenBytes += bytes.byteLength;
    if (this.#writtenBytes > WRITTEN_BYTES_MAX) {
      throw new Error(`the guest has written more than the limit of ${WRITTEN_BYTES_MAX} bytes`);
    }
    (this.#written[which] ??= []).push(bytes.slice());
  }

  /** Undefined: nothing was written. */
  written(which: "request" | "response"): Uint8Array | undefined {
    const pieces = this.#written[which];
    return pieces === undefined ? undefined : Buffer.concat(pieces);
  }

  /** The next piece of the held answer, at most `limit` bytes, and whether it is the last. */
  readResponse(limit: number): { readonly bytes: Uint8Array; readonly end: boolean } {
    const body = this.response.body ?? new Uint8Array(0);
    const bytes = body.subarray(this.#readBytes, this.#readBytes + limit);
    this.#readBytes += bytes.byteLength;
    return { bytes, end: this.#readBytes >= body.byteLength };
  }
}

/** Values of a header in a flat list; names are compared without case. */
export function headerValues(headers: readonly string[], name: string): string[] {
  const lower = name.toLowerCase();
  return headers.filter((_, index) => index % 2 === 1 && (headers[index - 1] as string).toLowerCase() === lower);
}

/** Names of a flat list, in lower case, sorted, each once. */
export function headerNames(headers: readonly string[]): string[] {
  return [...new Set(headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()))].toSorted();
}

/** The flat list without a header. */
export function removeHeader(headers: readonly string[], name: string): string[] {
  const lower = name.toLowerCase();
  return headers.filter((_, index) => (headers[index - (index % 2)] as string).toLowerCase() !== lower);
}
