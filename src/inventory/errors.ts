/** A component that could not be loaded. The message is Dapr's, as it logs it and as the sidecar dies with it. */
export class ComponentInitError extends Error {
  override readonly name = "ComponentInitError";
  readonly component: string;

  constructor(component: string, message: string, cause: unknown) {
    super(message, { cause });
    this.component = component;
  }
}

/** A component that did not come up, with Dapr's text of the step that failed. */
export class StartError extends Error {
  override readonly name = "StartError";
  /** What went wrong, without Dapr's words around it. */
  readonly reason: string;
  /** The back end may yet be found: `init` itself failed, and not over what the resource says. */
  readonly retryable: boolean;

  constructor(message: string, reason: string, retryable: boolean, cause: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.retryable = retryable;
  }
}

export type InitFailure = "INIT_COMPONENT_FAILURE" | "CREATE_COMPONENT_FAILURE";

/** Dapr's text for a step of loading that failed; loading wraps it once more for the whole. */
export function initFailureText(kind: InitFailure, logName: string, error: string): string {
  return `[${kind}]: initialization error occurred for ${logName}: ${error}`;
}

/** An error's text as it goes into log lines. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
