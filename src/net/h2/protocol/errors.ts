import { type CutOffKind, H2_ERROR } from "../transport.ts";

/** The peer broke the protocol or a limit so that the connection cannot go on; `code` is what GOAWAY says. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** One of `H2_ERROR`. */
  readonly code: number;
  readonly kind: CutOffKind;

  constructor(code: number, message: string, kind: CutOffKind = kindOf(code)) {
    super(message);
    this.code = code;
    this.kind = kind;
  }
}

function kindOf(code: number): CutOffKind {
  switch (code) {
    case H2_ERROR.flowControl:
      return "flow_control_error";
    case H2_ERROR.frameSize:
      return "frame_size_error";
    case H2_ERROR.compression:
      return "compression_error";
    default:
      return "protocol_error";
  }
}
