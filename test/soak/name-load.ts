import { type Socket, connect } from "node:net";

/** Connections, and requests under way on each: enough to keep a sidecar busy. */
const CONNECTIONS = 16;
const IN_FLIGHT = 16;

/** The end of what came, with the answer that was not expected. */
const TOLD_CHARACTERS = 600;

const STATUS_LINE = Buffer.from("HTTP/1.1 ");

/** A kind of name that callers choose. */
export interface NamedCall {
  readonly method: string;
  /** Path of the call with the name of this number in it. */
  path(number: number): string;
  body?(number: number): string;
  /** Answers with another one are counted. */
  readonly status: number;
}

/** Answers that were not as expected, and the last of them. */
export interface Surprises {
  count: number;
  last: string;
}

/** Sends one call for each number from `from` to before `to`, pipelined, each with a name of its own. */
export async function callNames(port: number, call: NamedCall, from: number, to: number): Promise<Surprises> {
  let next = from;
  const request = (): Buffer | undefined => (next < to ? requestOf(call, next++) : undefined);
  const surprises = { count: 0, last: "" };
  await Promise.all(Array.from({ length: CONNECTIONS }, () => lane(port, call.status, request, surprises)));
  return surprises;
}

function requestOf(call: NamedCall, number: number): Buffer {
  const body = call.body?.(number) ?? "";
  const head = `${call.method} ${call.path(number)} HTTP/1.1\r\nhost: sidecar\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

/** Keeps a window of requests under way on one connection until there are none left. */
function lane(port: number, status: number, next: () => Buffer | undefined, surprises: Surprises): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let waiting = send(socket, next, IN_FLIGHT);
    if (waiting === 0) {
      socket.end();
    }
    let rest: Buffer = Buffer.alloc(0);
    socket.on("error", reject);
    socket.on("close", () => (waiting === 0 ? resolve() : reject(new Error(`${waiting} calls were not answered`))));
    socket.on("data", (chunk: Buffer) => {
      const seen = Buffer.concat([rest, chunk]);
      const { answers, others, end } = readStatuses(seen, String(status));
      if (others > 0) {
        surprises.count += others;
        surprises.last = seen.toString("latin1").slice(-TOLD_CHARACTERS);
      }
      rest = seen.subarray(end);
      waiting += send(socket, next, answers) - answers;
      if (waiting === 0) {
        socket.end();
      }
    });
  });
}

function send(socket: Socket, next: () => Buffer | undefined, count: number): number {
  const requests: Buffer[] = [];
  for (let each = 0; each < count; each++) {
    const request = next();
    if (request !== undefined) {
      requests.push(request);
    }
  }
  if (requests.length > 0) {
    socket.write(Buffer.concat(requests));
  }
  return requests.length;
}

/** Counts status lines; bodies of the answers hold none. `end` is where a line that is not whole may begin. */
function readStatuses(seen: Buffer, status: string): { answers: number; others: number; end: number } {
  let answers = 0;
  let others = 0;
  let end = Math.max(0, seen.length - STATUS_LINE.length);
  for (let at = seen.indexOf(STATUS_LINE); at !== -1; at = seen.indexOf(STATUS_LINE, at + STATUS_LINE.length)) {
    const codeEnd = at + STATUS_LINE.length + status.length;
    if (codeEnd > seen.length) {
      return { answers, others, end: at };
    }
    answers += 1;
    others += seen.toString("latin1", at + STATUS_LINE.length, codeEnd) === status ? 0 : 1;
    end = Math.max(end, codeEnd);
  }
  return { answers, others, end };
}
