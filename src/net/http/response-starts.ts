import type { Socket } from "node:net";
import { HEADER_BYTES_MAX } from "./limits.ts";

/**
 * Reason phrase of the 204 that stands for a 101 between `passResponseStarts` and the client, which gives it its status
 * back: undici takes no 101.
 */
export const SWITCHED_REASON = "101 stands here";

const STATUS_AT = "HTTP/1.1 ".length;
/** `HTTP/1.1 100` */
const START_BYTES = STATUS_AT + 3;
const ONE = 0x31;
const HEAD_END = "\r\n\r\n";

/**
 * Puts the beginnings of responses right that undici ends a connection for and Go's client, daprd's, takes: a `100` that
 * nobody has asked for is left out, and a `101` is an answer without a body after which the connection is closed.
 *
 * @returns to be called when a request's head was written: what is read next is the beginning of its response
 */
export function passResponseStarts(socket: Socket): () => void {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  let awaited = false;
  let held: Buffer | undefined;
  socket.read = (size?: number): Buffer | null => {
    const chunk = read(size);
    if (!awaited || chunk === null) {
      return chunk;
    }
    const data = held === undefined ? chunk : Buffer.concat([held, chunk]);
    held = undefined;
    const passed = passStart(data);
    if (passed === undefined && data.length < HEADER_BYTES_MAX) {
      held = data;
      return null;
    }
    const start = passed ?? data;
    awaited = start.length === 0;
    return awaited ? null : start;
  };
  return () => {
    awaited = true;
  };
}

/** What is left of the data; undefined: more of it must be there first. */
function passStart(data: Buffer): Buffer | undefined {
  if (data.length < START_BYTES) {
    return data.length === 0 ? data : undefined;
  }
  if (data[STATUS_AT] !== ONE) {
    return data;
  }
  const status = data.toString("latin1", 0, START_BYTES);
  if (status === "HTTP/1.1 100") {
    const end = data.indexOf(HEAD_END);
    return end === -1 ? undefined : passStart(data.subarray(end + HEAD_END.length));
  }
  if (status !== "HTTP/1.1 101") {
    return data;
  }
  const line = data.indexOf("\r\n");
  return line === -1
    ? undefined
    : Buffer.concat([Buffer.from(`HTTP/1.1 204 ${SWITCHED_REASON}\r\nconnection: close`), data.subarray(line)]);
}
