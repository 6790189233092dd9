import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import type { HeaderList } from "../http/types.ts";
import { decodeBinary, encodeBinary, HeaderMetadata } from "./metadata.ts";
import type { GrpcStatus, Metadata } from "./types.ts";

const BRAND = Symbol.for("outrigger.GrpcError");

/** What a call failed with, on either side; `metadata` are the trailers that came or go with it. */
export class GrpcError extends Error implements GrpcStatus {
  override readonly name = "GrpcError";
  readonly code: GrpcStatusCode;
  readonly detailsBin: Uint8Array | undefined;
  readonly metadata: Metadata | undefined;
  readonly [BRAND] = true;

  constructor(
    code: GrpcStatusCode,
    message: string,
    more: { detailsBin?: Uint8Array | undefined; metadata?: Metadata | undefined; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.detailsBin = more.detailsBin;
    this.metadata = more.metadata;
  }

  /** Whether an error is one, also from another copy of the package. */
  static is(error: unknown): error is GrpcError {
    return typeof error === "object" && error !== null && BRAND in error;
  }
}

const NAMES: readonly string[] = Object.keys(GRPC_STATUS);

/** The name of a status code, as metrics and logs write it. */
export function grpcStatusName(code: number): string {
  return NAMES[code] ?? String(code);
}

/** A status as anything that was thrown: a GrpcError's own, CANCELLED for an abort, otherwise UNKNOWN with the message. */
export function grpcStatusOf(error: unknown): GrpcStatus {
  if (GrpcError.is(error)) return error;
  if (error instanceof Error) {
    if (error.name === "AbortError") return { code: GRPC_STATUS.CANCELLED, message: "context canceled" };
    return { code: GRPC_STATUS.UNKNOWN, message: error.message };
  }
  return { code: GRPC_STATUS.UNKNOWN, message: String(error) };
}

const RESET_TEXT = "stream terminated by RST_STREAM with error code: ";
const REFUSED_TEXT = `${RESET_TEXT}REFUSED_STREAM`;

/** What travels as it is in `grpc-message`: printable ASCII except the percent sign. */
const PLAIN_MESSAGE = /^[\x20-\x24\x26-\x7e]*$/;

/** Percent-encodes a `grpc-message` (gRPC over HTTP/2, "Status-Message"). */
export function encodeGrpcMessage(message: string): string {
  if (PLAIN_MESSAGE.test(message)) return message;
  let text = "";
  for (const byte of Buffer.from(message, "utf8")) {
    text +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

/** Undoes the percent-encoding; what is not valid stays as it came, as the specification demands. */
export function decodeGrpcMessage(text: string): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  const raw = Buffer.from(text, "utf8");
  for (let i = 0; i < raw.length; i += 1) {
    const byte = raw[i] as number;
    const hex = byte === 0x25 ? text2(raw, i + 1) : undefined;
    if (hex === undefined) bytes.push(byte);
    else {
      bytes.push(hex);
      i += 2;
    }
  }
  return Buffer.from(bytes).toString("utf8");
}

function text2(raw: Uint8Array, at: number): number | undefined {
  const high = hexDigit(raw[at]);
  const low = hexDigit(raw[at + 1]);
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
}

/** The trailers of a status: `grpc-status`, and `grpc-message` and `grpc-status-details-bin` where there are any. */
export function appendStatus(status: GrpcStatus, headers: string[]): void {
  headers.push("grpc-status", String(status.code));
  if (status.message !== "") headers.push("grpc-message", encodeGrpcMessage(status.message));
  if (status.detailsBin !== undefined) headers.push("grpc-status-details-bin", encodeBinary(status.detailsBin));
}

/** The status in received trailers, undefined when there is none. Codes that nobody defined are UNKNOWN (gRPC status codes). */
export function statusOfTrailers(trailers: HeaderList): GrpcStatus | undefined {
  const status = passedStatusOf(trailers);
  return status === undefined || status.code <= GRPC_STATUS.UNAUTHENTICATED
    ? status
    : { ...status, code: GRPC_STATUS.UNKNOWN };
}

/** The same for whoever passes it on: the code may be any number. */
export function passedStatusOf(trailers: HeaderList): GrpcStatus | undefined {
  let code: number | undefined;
  let message = "";
  let detailsBin: Uint8Array | undefined;
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] as string;
    if (!name.startsWith("grpc-")) continue;
    const value = trailers[i + 1] as string;
    if (name === "grpc-status") code = /^\d{1,9}$/.test(value) ? Number(value) : GRPC_STATUS.UNKNOWN;
    else if (name === "grpc-message") message = decodeGrpcMessage(value);
    else if (name === "grpc-status-details-bin") detailsBin = decodeBinary(value);
  }
  if (code === undefined) return undefined;
  return { code: code as GrpcStatusCode, message, detailsBin };
}

/** The error of a received status, with the trailers as its metadata. */
export function errorOfStatus(status: GrpcStatus, trailers: HeaderList): GrpcError {
  return new GrpcError(status.code, status.message, {
    detailsBin: status.detailsBin,
    metadata: new HeaderMetadata(trailers),
  });
}

/** What an HTTP status without a `grpc-status` means (gRPC, "HTTP to gRPC Status Code Mapping"). */
export function grpcCodeOfHttp(status: number): GrpcStatusCode {
  switch (status) {
    case 400:
      return GRPC_STATUS.INTERNAL;
    case 401:
      return GRPC_STATUS.UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS.PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS.UNAVAILABLE;
    default:
      return GRPC_STATUS.UNKNOWN;
  }
}

const RST_NAMES: readonly string[] = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

/** What a stream's reset means (gRPC over HTTP/2, "Errors"); -1 is a lost connection. */
export function grpcErrorOfReset(code: number): GrpcError {
  if (code < 0) return new GrpcError(GRPC_STATUS.UNAVAILABLE, "error reading from server: the connection was lost");
  const name = RST_NAMES[code] ?? `code ${code}`;
  return new GrpcError(grpcCodeOfReset(code), RESET_TEXT + name);
}

/** Whether a call was refused by its server's HTTP/2 without a look at it. */
export function isRefusedCall({ code, message }: GrpcError): boolean {
  return code === GRPC_STATUS.UNAVAILABLE && message === REFUSED_TEXT;
}

function grpcCodeOfReset(code: number): GrpcStatusCode {
  switch (code) {
    case 7:
      return GRPC_STATUS.UNAVAILABLE;
    case 8:
      return GRPC_STATUS.CANCELLED;
    case 11:
      return GRPC_STATUS.RESOURCE_EXHAUSTED;
    case 12:
      return GRPC_STATUS.PERMISSION_DENIED;
    default:
      return GRPC_STATUS.INTERNAL;
  }
}

/** Milliseconds of a `grpc-timeout` value, undefined when it is malformed: up to eight digits and a unit. */
export function parseGrpcTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * (TIMEOUT_UNITS[match[2] as string] as number);
}

const TIMEOUT_UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** A `grpc-timeout` value for milliseconds: whole milliseconds while eight digits hold them, otherwise a larger unit. */
export function formatGrpcTimeout(ms: number): string {
  if (ms <= 0) return "0m";
  if (ms < 1) return `${Math.ceil(ms * 1000)}u`;
  const whole = Math.ceil(ms);
  if (whole < 1e8) return `${whole}m`;
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 1e8) return `${seconds}S`;
  return `${Math.min(Math.ceil(ms / 3_600_000), 99_999_999)}H`;
}
