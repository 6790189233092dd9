/** The peer broke the protocol or a limit so that the connection cannot go on; `code` is what GOAWAY says. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** One of `H2_ERROR`. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
