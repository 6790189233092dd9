import type { BindingResponse } from "./bindings.ts";
import { ComponentError, type ComponentErrorKind } from "./errors.ts";

/** An output binding failed and has an answer all the same: its metadata goes to the caller beside the error. */
export class BindingFailure extends ComponentError {
  readonly response: BindingResponse;

  constructor(kind: ComponentErrorKind, message: string, response: BindingResponse) {
    super(kind, message);
    this.response = response;
  }
}
