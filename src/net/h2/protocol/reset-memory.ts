import { RESET_MEMORY } from "../limits.ts";
import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";

/** The streams that we have reset lately: what still comes on them is no offence, within their windows. */
export class ResetMemory {
  /** Bytes that the peer may still send, by stream, the oldest first. */
  private readonly windows = new Map<number, number>();

  /** @param window bytes that the peer may have sent before it learns of the reset */
  add(id: number, window: number): void {
    this.windows.set(id, window);
    if (this.windows.size <= RESET_MEMORY) return;
    for (const oldest of this.windows.keys()) {
      this.windows.delete(oldest);
      return;
    }
  }

  has(id: number): boolean {
    return this.windows.has(id);
  }

  /** DATA has come on a stream. @returns whether that is one of these. @throws ConnectionError beyond its window */
  spend(id: number, length: number): boolean {
    const window = this.windows.get(id);
    if (window === undefined) return false;
    if (length > window) throw new ConnectionError(H2_ERROR.flowControl, "DATA beyond the window of a stream in reset");
    this.windows.set(id, window - length);
    return true;
  }
}
