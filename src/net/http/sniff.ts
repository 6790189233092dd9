import type { Socket } from "node:net";

/** What tells HTTP/2 from every HTTP/1.1 method: the first bytes of "PRI * HTTP/2.0" (RFC 9113 section 3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Bytes that suffice: no method that anybody uses begins like this. */
const DECISIVE_BYTES = 4;

/** Who is told what a connection speaks. */
export interface SniffedBy {
  onProtocol(socket: Socket, isH2: boolean): void;
  /** It said nothing in time, or went away before it had said enough. */
  onSilence(socket: Socket): void;
}

/** Looks at a connection's first bytes, without consuming them, for at most `timeoutMs`, and says whether it speaks HTTP/2. */
export function sniff(socket: Socket, timeoutMs: number, owner: SniffedBy): void {
  let seen: Buffer | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("close", silence);
    socket.off("end", silence);
  };
  const silence = (): void => {
    stop();
    owner.onSilence(socket);
  };
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, DECISIVE_BYTES);
    const isH2 = seen.compare(PREFACE, 0, length, 0, length) === 0;
    if (isH2 && length < DECISIVE_BYTES) return;
    stop();
    socket.unshift(seen);
    owner.onProtocol(socket, isH2);
  };
  const timer = setTimeout(silence, timeoutMs);
  socket.on("readable", look);
  socket.once("close", silence);
  socket.once("end", silence);
}
