import type { WasmModule } from "./webassembly.ts";

/** What a guest's thread begins with. */
export interface GuestStart {
  readonly module: WasmModule;
  readonly config: string;
  readonly strictSandbox: boolean;
  /** `BODY_STATE`, `BODY_LENGTH` and `BODY_FLAG`, then `SHARED_BODY_BYTES` of the body. */
  readonly shared: SharedArrayBuffer;
  /** The least level that is logged, as the ABI numbers levels. */
  readonly logLevel: number;
}

/** Places in the shared memory: whether there is a piece of the body, how long it is, and whether it is the last or the body has failed. */
export const BODY_STATE = 0;
export const BODY_LENGTH = 1;
export const BODY_FLAG = 2;
export const BODY_HEAD_BYTES = 16;
export const FLAG_END = 1;
export const FLAG_FAILED = 2;

/** Features of the ABI, as bits. Trailers are not among what we have. */
export const BUFFER_REQUEST = 1;
export const BUFFER_RESPONSE = 2;

/** The head of a request as a guest sees it. Headers are a flat list of names and values. */
export interface GuestRequest {
  method: string;
  uri: string;
  readonly protocol: string;
  readonly sourceAddress: string;
  headers: string[];
}

/** An answer as a guest sees and makes it. `body` undefined: not written, or not held. */
export interface GuestResponse {
  status: number;
  headers: string[];
  body: Uint8Array | undefined;
}

export type ToGuest =
  | { readonly kind: "request"; readonly request: GuestRequest }
  | {
      readonly kind: "response";
      readonly context: number;
      readonly failed: boolean;
      readonly features: number;
      readonly request: GuestRequest;
      readonly response: GuestResponse;
    };

export type FromGuest =
  | { readonly kind: "ready" }
  | { readonly kind: "log"; readonly level: number; readonly text: string }
  | { readonly kind: "output"; readonly stream: "stdout" | "stderr"; readonly text: string }
  /** The thread sleeps until a piece of the request's body is in the shared memory. */
  | { readonly kind: "body" }
  | {
      readonly kind: "requestDone";
      readonly next: boolean;
      readonly context: number;
      readonly features: number;
      readonly request: GuestRequest;
      /** In place of the caller's; undefined: the guest has written none. */
      readonly body: Uint8Array | undefined;
      readonly response: GuestResponse;
    }
  | { readonly kind: "responseDone"; readonly response: GuestResponse }
  /** The guest has trapped; the instance is of no further use. */
  | { readonly kind: "failed"; readonly reason: string };
