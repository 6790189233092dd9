/** No answer came from the app. The message is what Go's HTTP client would say, since it ends in users' answers. */
export class AppUnreachableError extends Error {
  override readonly name = "AppUnreachableError";
  /** Whether the caller gave up, rather than the app. */
  readonly aborted: boolean;

  constructor(message: string, options: { readonly aborted: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.aborted = options.aborted;
  }
}
