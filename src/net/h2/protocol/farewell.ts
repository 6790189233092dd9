import type { Socket } from "node:net";
import { FAREWELL_BYTES_MAX, FAREWELL_MS } from "../limits.ts";
import type { Output } from "./output.ts";

/** The end of a connection: its last bytes go out, and it is closed although the peer may go on sending. */
export class Farewell {
  private readonly socket: Socket;
  private readonly output: Output;
  private begun = false;
  private discardedBytes = 0;

  constructor(socket: Socket, output: Output) {
    this.socket = socket;
    this.output = output;
  }

  /** A peer that is cut off gets a moment for the last bytes, another one as long as it takes them at all. */
  begin(patient: boolean): void {
    const { socket } = this;
    if (this.begun) return;
    this.begun = true;
    this.output.flushAll();
    socket.end();
    const hangUp = (): void => {
      const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
      socket.once("close", () => clearTimeout(timer));
    };
    if (patient && !socket.writableFinished) socket.once("finish", hangUp);
    else hangUp();
  }

  /** Bytes of the peer's that nobody reads any more. A reset instead would take our last words from it. */
  discard(bytes: number): void {
    this.discardedBytes += bytes;
    if (this.discardedBytes > FAREWELL_BYTES_MAX) this.socket.destroy();
  }
}
