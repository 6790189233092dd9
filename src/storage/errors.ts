/** Why the engine could not do what it was asked. */
export type StorageErrorKind =
  /** More waits to be written than the engine lets wait. */
  | "overloaded"
  /** The engine has been closed. */
  | "closed"
  /** SQLite said no; `code` is its result code. */
  | "sqlite"
  /** The disk did not answer in time: whether the write will be on it is not known. */
  | "timeout"
  /** The writer's thread ended by itself: whether the write is on disk is not known. */
  | "unknown-outcome";

/** The one error of the storage room, beside a refused step. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly kind: StorageErrorKind;
  /** SQLite's extended result code; 0 where it was not asked. */
  readonly code: number;

  constructor(
    kind: StorageErrorKind,
    message: string,
    options: { readonly code?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = options.code ?? 0;
  }
}

/** A step with `mustChange` changed nothing, so its write has been undone. */
export class StepRefusedError extends Error {
  override readonly name = "StepRefusedError";
  /** Position of the step in its write. */
  readonly step: number;

  constructor(step: number) {
    super(`step ${step} of the write changed no row`);
    this.step = step;
  }
}
