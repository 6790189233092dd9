/** A component that could not be loaded. The message is Dapr's, as it logs it and as the sidecar dies with it. */
export class ComponentInitError extends Error {
  override readonly name = "ComponentInitError";
  readonly component: string;

  constructor(component: string, message: string, cause: unknown) {
    super(message, { cause });
    this.component = component;
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
