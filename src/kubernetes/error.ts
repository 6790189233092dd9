/** The API server refused a request, or could not be asked. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  /** HTTP status, 0 when there was no answer. */
  readonly status: number;
  /** Kubernetes' word for it: `NotFound`, `Conflict`, `Expired`. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
    this.reason = reason;
  }

  /** There is no such object. */
  get isNotFound(): boolean {
    return this.status === 404;
  }

  /** The object has changed since it was read. */
  get isConflict(): boolean {
    return this.status === 409;
  }

  /** A watch or a page cannot be continued: the server has forgotten where it was. */
  get isExpired(): boolean {
    return this.status === 410;
  }
}
