/** Everything a component may say went wrong. Anything else it throws is a bug and is logged with its stack. */
export type ComponentErrorKind =
  | "etagMismatch"
  | "etagInvalid"
  | "fenceMismatch"
  | "notFound"
  | "invalidMetadata"
  | "invalidRequest"
  | "unavailable"
  | "unsupported"
  | "timeout";

/** The one error type of components. `message` is what Dapr's component would say, since it ends in users' answers. */
export class ComponentError extends Error {
  override readonly name = "ComponentError";
  readonly kind: ComponentErrorKind;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(
    kind: ComponentErrorKind,
    message: string,
    options: { cause?: unknown; facts?: Readonly<Record<string, string | number>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.facts = options.facts ?? {};
  }
}
