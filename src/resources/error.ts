/** A resource or configuration file that says something it cannot mean; the message carries file, line and column. */
export class ResourceError extends Error {
  override readonly name = "ResourceError";
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  readonly column: number;
  /** What is wrong, without the place. */
  readonly detail: string;

  constructor(
    place: { readonly file: string; readonly line: number; readonly column: number },
    detail: string,
    options?: { readonly cause?: unknown },
  ) {
    super(place.line === 0 ? detail : `${place.file}:${place.line}:${place.column}: ${detail}`, options);
    this.file = place.file;
    this.line = place.line;
    this.column = place.column;
    this.detail = detail;
  }
}

/** Several resources of one kind and name in one namespace. The message is Dapr's, one line per surplus definition. */
export class DuplicateResourceError extends Error {
  override readonly name = "DuplicateResourceError";
}
