import { componentErrorOf } from "./storage-errors.ts";

/** The outcome of a call of the engine, with its errors as a component's. @throws ComponentError `unavailable` */
export async function storing<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw componentErrorOf(error);
  }
}

/** The same for a call that answers at once. @throws ComponentError `unavailable` */
export function reading<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw componentErrorOf(error);
  }
}
