/** A combination of flags that the runtime refuses; told as Dapr tells errors of its start. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}
