import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import type { RequestHead, StreamHandler, TransportStream } from "../../src/net/h2/transport.ts";
import { FakeSocket } from "./fake-socket.ts";
import type { Recording } from "./recordings.ts";

/** What happened on the streams of a connection, in their order, as text: equal for equal bytes, however they come. */
class Diary {
  readonly lines: string[] = [];
  private open = 0;
  private count = 0;

  get openStreams(): number {
    return this.open;
  }

  /** A handler that writes down all that it is told. Runs of data count as one. */
  handler(label: string, onEnd: () => void): StreamHandler {
    this.open += 1;
    this.count += 1;
    const name = `${label}${this.count}`;
    let bytes = 0;
    let sum = 0;
    let closed = false;
    const tell = (line: string): void => {
      if (closed) throw new Error(`${name} heard "${line}" after its end`);
      this.lines.push(`${name} ${line}`);
    };
    return {
      onHead: (head, endStream) => tell(`head ${head.status} ${head.headers.join("|")} ${endStream}`),
      onData(chunk) {
        if (closed) throw new Error(`${name} heard data after its end`);
        bytes += chunk.length;
        for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
      },
      onTrailers: (trailers) => tell(`trailers ${trailers.join("|")}`),
      onEnd() {
        tell(`end ${bytes} ${sum}`);
        onEnd();
      },
      onDrain: () => undefined,
      onClose: (code) => {
        tell(`close ${code}`);
        closed = true;
        this.open -= 1;
      },
    };
  }
}

const HEAD: RequestHead = { method: "POST", path: "/p", scheme: "http", authority: "a", headers: ["te", "trailers"] };
const ANSWER = { status: 200, headers: ["content-type", "application/grpc"] };
const BODY = Buffer.alloc(100, 7);

/**
 * Feeds a connection of ours the bytes of a peer, in these pieces, and then ends it.
 * @returns what its streams were told; throws when one of them was told wrongly, or was forgotten
 */
export async function feed(role: "server" | "client", pieces: readonly Buffer[], streams: number): Promise<string[]> {
  const socket = new FakeSocket();
  const diary = new Diary();
  const transport = createH2Transport();
  if (role === "server") {
    const server = transport.createServer((stream, head) => {
      diary.lines.push(`request ${head.method} ${head.path} ${head.headers.join("|")}`);
      return diary.handler("in", () => respond(stream));
    });
    server.accept(socket.asSocket());
  } else {
    const sockets = [socket];
    const client = transport.createClient("peer:1", {
      connect: () => (sockets.pop() ?? refusedSocket()).asSocket(),
    });
    for (let i = 0; i < streams; i += 1)
      client.open(
        HEAD,
        true,
        diary.handler("out", () => undefined),
      );
  }
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.emit("data", piece);
  }
  await turn();
  socket.destroyed = true;
  socket.emit("close");
  await turn();
  if (diary.openStreams !== 0) throw new Error(`${diary.openStreams} streams were never told of their end`);
  return diary.lines;
}

/** What a client gets that connects again: the peer is there only once. */
function refusedSocket(): FakeSocket {
  const socket = new FakeSocket();
  socket.destroy(new Error("refused"));
  return socket;
}

function respond(stream: TransportStream): void {
  stream.respond(ANSWER, false);
  stream.send(BODY, false);
  stream.sendTrailers(["grpc-status", "0"]);
}

/** Lets a connection write what it has put together. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Cuts bytes into pieces of random sizes, often of one byte. */
export function rechunk(bytes: Buffer, random: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() ** 4 * 2000);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Changes bytes as a broken or hostile peer would: flips, cuts, repeats, moves, with favour for frame headers. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  let result = Buffer.from(bytes);
  const changes = 1 + Math.floor(random() * 4);
  for (let i = 0; i < changes && result.length > 40; i += 1) {
    const at = Math.floor(random() * result.length);
    const length = 1 + Math.floor(random() * 40);
    switch (Math.floor(random() * 6)) {
      case 0:
        result[at] = (result[at] as number) ^ (1 << Math.floor(random() * 8));
        break;
      case 1:
        result[at] = Math.floor(random() * 256);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)]);
        break;
      case 4:
        result = result.subarray(0, at);
        break;
      default: {
        // The type or the flags of a frame.
        const frame = frameAt(result, random);
        if (frame !== undefined) result[frame + 3 + Math.floor(random() * 2)] = Math.floor(random() * 16);
      }
    }
  }
  return result;
}

/** Where some frame begins, behind the preface if there is one. */
function frameAt(bytes: Buffer, random: () => number): number | undefined {
  const starts: number[] = [];
  let at = bytes.toString("latin1", 0, 3) === "PRI" ? 24 : 0;
  while (at + 9 <= bytes.length) {
    starts.push(at);
    at += 9 + bytes.readUIntBE(at, 3);
  }
  return starts[Math.floor(random() * starts.length)];
}

/** How many connections, of which kinds, one run has fed. */
export interface FuzzCount {
  rechunked: number;
  mutated: number;
}

/**
 * Feeds `connections` of each recording and role: every second one as it was but in other pieces, which must change
 * nothing; every other one mutated, which must break nothing, and mean the same in any pieces.
 * @throws Error with the seed of the connection that went wrong
 */
export async function fuzz(recordings: readonly Recording[], connections: number, seed: number): Promise<FuzzCount> {
  const count: FuzzCount = { rechunked: 0, mutated: 0 };
  const whole = new Map<string, string>();
  for (let i = 0; i < connections; i += 1) {
    const random = seededRandom(seed + i);
    const recording = recordings[Math.floor(random() * recordings.length)] as Recording;
    const role = random() < 0.5 ? "server" : "client";
    const bytes = role === "server" ? recording.fromClient : recording.fromServer;
    const mutated = i % 2 === 1;
    const sent = mutated ? mutate(bytes, random) : bytes;
    const key = `${role} ${recording.name}`;
    try {
      const expected = mutated
        ? await told(role, [sent], recording)
        : (whole.get(key) ?? (await told(role, [sent], recording)));
      if (!mutated) whole.set(key, expected);
      const actual = await told(role, rechunk(sent, random), recording);
      if (actual !== expected) throw new Error(`other pieces, other events:\n${expected}\n--- became\n${actual}`);
    } catch (error) {
      throw new Error(`seed ${seed + i} (${key}${mutated ? ", mutated" : ""})`, { cause: error });
    }
    count[mutated ? "mutated" : "rechunked"] += 1;
  }
  return count;
}

async function told(role: "server" | "client", pieces: readonly Buffer[], recording: Recording): Promise<string> {
  return (await feed(role, pieces, recording.streams)).join("\n");
}
