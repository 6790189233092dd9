import {
  BODY_FLAG,
  BODY_HEAD_BYTES,
  BODY_LENGTH,
  BODY_STATE,
  BUFFER_REQUEST,
  BUFFER_RESPONSE,
  FLAG_END,
  FLAG_FAILED,
  type FromGuest,
} from "./guest-messages.ts";
import { type GuestExchange, headerNames, headerValues, removeHeader } from "./guest-exchange.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { LOG_CHARACTERS_MAX, LOG_LINES_MAX } from "./limits.ts";

/** Kinds of headers and bodies in the ABI; trailers are 2 and 3. */
const REQUEST = 0;
const RESPONSE = 1;
const NO_LEVEL = 3;
const SUPPORTED_FEATURES = BUFFER_REQUEST | BUFFER_RESPONSE;

export interface GuestHostOptions {
  readonly memory: GuestMemory;
  readonly config: string;
  readonly logLevel: number;
  readonly shared: SharedArrayBuffer;
  post(message: FromGuest): void;
}

/** The `http_handler` functions that a guest calls (https://http-wasm.io/http-handler-abi), over the exchange it has. */
export class GuestHost {
  /** Features that the guest asked for before any request. */
  features = 0;
  exchange: GuestExchange | undefined;
  readonly #options: GuestHostOptions;
  readonly #memory: GuestMemory;
  readonly #head: Int32Array;
  readonly #data: Uint8Array;
  /** Of the request's body: what has come and was not read yet, and whether more comes. */
  #piece = new Uint8Array(0);
  #bodyEnded = false;
  #lines = 0;

  constructor(options: GuestHostOptions) {
    this.#options = options;
    this.#memory = options.memory;
    this.#head = new Int32Array(options.shared, 0, BODY_HEAD_BYTES / 4);
    this.#data = new Uint8Array(options.shared, BODY_HEAD_BYTES);
  }

  begin(exchange: GuestExchange): void {
    this.exchange = exchange;
    this.#piece = new Uint8Array(0);
    this.#bodyEnded = false;
    this.#lines = 0;
  }

  imports(): Record<string, (...args: never[]) => unknown> {
    return { ...this.#generalImports(), ...this.#messageImports(), ...this.#headerImports(), ...this.#bodyImports() };
  }

  #generalImports(): Record<string, (...args: never[]) => unknown> {
    const memory = this.#memory;
    const { config, logLevel, post } = this.#options;
    return {
      enable_features: (features: number): number => {
        const { exchange } = this;
        const enabled = (exchange?.features ?? this.features) | (features & SUPPORTED_FEATURES);
        if (exchange === undefined) {
          this.features = enabled;
        } else {
          exchange.features = enabled;
        }
        return enabled;
      },
      get_config: (at: number, limit: number) => memory.writeText(config, at, limit),
      log_enabled: (level: number) => (level >= logLevel && level < NO_LEVEL ? 1 : 0),
      log: (level: number, at: number, length: number): void => {
        this.#lines += 1;
        if (level >= logLevel && level < NO_LEVEL && this.#lines <= LOG_LINES_MAX) {
          post({ kind: "log", level, text: memory.text(at, length).slice(0, LOG_CHARACTERS_MAX) });
        }
      },
    };
  }

  #messageImports(): Record<string, (...args: never[]) => unknown> {
    const memory = this.#memory;
    return {
      get_method: (at: number, limit: number) => memory.writeText(this.#current().request.method, at, limit),
      set_method: (at: number, length: number): void => {
        this.#current().changeRequest("set method").method = this.#name(at, length, "method");
      },
      get_uri: (at: number, limit: number) => memory.writeText(this.#current().request.uri, at, limit),
      set_uri: (at: number, length: number): void => {
        const uri = memory.text(at, length);
        this.#current().changeRequest("set uri").uri = uri === "" ? "/" : uri;
      },
      get_protocol_version: (at: number, limit: number) =>
        memory.writeText(this.#current().request.protocol, at, limit),
      get_source_addr: (at: number, limit: number) =>
        memory.writeText(this.#current().request.sourceAddress, at, limit),
      get_status_code: () => this.#current().response.status,
      set_status_code: (status: number): void => {
        this.#current().changeResponse("set status code").status = status;
      },
    };
  }

  #headerImports(): Record<string, (...args: never[]) => unknown> {
    const memory = this.#memory;
    return {
      get_header_names: (kind: number, at: number, limit: number) =>
        memory.writeTexts(headerNames(this.#headersOf(kind)), at, limit),
      get_header_values: (kind: number, nameAt: number, nameLength: number, at: number, limit: number) =>
        memory.writeTexts(
          headerValues(this.#headersOf(kind), this.#name(nameAt, nameLength, "header name")),
          at,
          limit,
        ),
      set_header_value: (kind: number, nameAt: number, nameLength: number, at: number, length: number): void => {
        const name = this.#name(nameAt, nameLength, "header name");
        const message = this.#changed(kind, "set");
        message.headers = [...removeHeader(message.headers, name), name, memory.text(at, length)];
      },
      add_header_value: (kind: number, nameAt: number, nameLength: number, at: number, length: number): void => {
        const name = this.#name(nameAt, nameLength, "header name");
        this.#changed(kind, "add").headers.push(name, memory.text(at, length));
      },
      remove_header: (kind: number, nameAt: number, nameLength: number): void => {
        const message = this.#changed(kind, "remove");
        message.headers = removeHeader(message.headers, this.#name(nameAt, nameLength, "header name"));
      },
    };
  }

  #bodyImports(): Record<string, (...args: never[]) => unknown> {
    return {
      read_body: (kind: number, at: number, limit: number): bigint => {
        if (limit === 0) {
          throw new Error("buf_limit==0 reading body");
        }
        const target = this.#memory.bytes(at, limit);
        const { length, end } = kind === REQUEST ? this.#readRequest(target) : this.#readResponse(target);
        return (end ? 1n << 32n : 0n) | BigInt(length);
      },
      write_body: (kind: number, at: number, length: number): void => {
        const exchange = this.#current();
        const bytes = this.#memory.bytes(at, length);
        if (kind === REQUEST) {
          exchange.changeRequest("write request body");
          exchange.write("request", bytes);
        } else {
          exchange.changeResponse("write response body");
          exchange.write("response", bytes);
        }
      },
    };
  }

  #readResponse(target: Uint8Array): { readonly length: number; readonly end: boolean } {
    const exchange = this.#current();
    exchange.changeResponse("read response body");
    const { bytes, end } = exchange.readResponse(target.byteLength);
    target.set(bytes);
    return { length: bytes.byteLength, end };
  }

  /** Fills the target or comes to the body's end, asleep while nothing has come. */
  #readRequest(target: Uint8Array): { readonly length: number; readonly end: boolean } {
    this.#current().changeRequest("read request body");
    let length = 0;
    while (length < target.byteLength && !(this.#bodyEnded && this.#piece.byteLength === 0)) {
      if (this.#piece.byteLength === 0) {
        this.#awaitPiece();
      }
      const part = this.#piece.subarray(0, target.byteLength - length);
      target.set(part, length);
      length += part.byteLength;
      this.#piece = this.#piece.subarray(part.byteLength);
    }
    return { length, end: this.#bodyEnded && this.#piece.byteLength === 0 };
  }

  #awaitPiece(): void {
    Atomics.store(this.#head, BODY_STATE, 0);
    this.#options.post({ kind: "body" });
    Atomics.wait(this.#head, BODY_STATE, 0);
    const flag = Atomics.load(this.#head, BODY_FLAG);
    if (flag === FLAG_FAILED) {
      throw new Error("error reading body");
    }
    this.#bodyEnded = flag === FLAG_END;
    this.#piece = this.#data.slice(0, Atomics.load(this.#head, BODY_LENGTH));
  }

  #current(): GuestExchange {
    if (this.exchange === undefined) {
      throw new Error("there is no request");
    }
    return this.exchange;
  }

  #name(at: number, length: number, what: string): string {
    if (length === 0) {
      throw new Error(`HTTP ${what} cannot be empty`);
    }
    return this.#memory.text(at, length);
  }

  /** Trailers are always empty. */
  #headersOf(kind: number): readonly string[] {
    switch (kind) {
      case REQUEST:
        return this.#current().request.headers;
      case RESPONSE:
        return this.#current().response.headers;
      case 2:
      case 3:
        return [];
      default:
        throw new Error(`unsupported header kind: ${kind}`);
    }
  }

  #changed(kind: number, how: string): { headers: string[] } {
    switch (kind) {
      case REQUEST:
        return this.#current().changeRequest(`${how} request header`);
      case RESPONSE:
        return this.#current().changeResponse(`${how} response header`);
      default:
        throw new Error("trailers are not supported");
    }
  }
}
