// The process under attack: a server, or a client of one that is not to be trusted. Alone in its process, so that what it
// spends can be told from what the attacker spends.
import { listen } from "../../src/net/http/listener.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import type {
  AcceptStream,
  CutOff,
  RequestHead,
  StreamHandler,
  TransportOptions,
  TransportStream,
} from "../../src/net/h2/transport.ts";
import { warmUp } from "./calls.ts";
import type { VictimCommand, VictimState } from "./victim-protocol.ts";

const transport = createH2Transport();
const cutOffs: CutOff[] = [];
const ends: number[] = [];
let connections = 0;
let streams = 0;
let port = 0;

/**
 * Answers by the path: `/large/<bytes>` with so many at once, `/head` with a large head alone, `/echo` with what comes,
 * `/silent` never, all others with two bytes.
 */
class Answer implements StreamHandler {
  private readonly stream: TransportStream;
  private readonly what: string;
  private readonly bytes: number;

  constructor(stream: TransportStream, head: RequestHead) {
    const [, what = "", bytes] = head.path.split("/");
    this.stream = stream;
    this.what = what;
    this.bytes = Number(bytes);
    streams += 1;
    if (what === "echo") stream.respond({ status: 200, headers: ANSWER_HEADERS }, false);
  }

  onData(chunk: Uint8Array): void {
    if (this.what === "echo") this.stream.send(chunk, false);
  }

  onEnd(): void {
    const { what } = this;
    if (what === "silent") return;
    if (what === "head") {
      this.stream.respond({ status: 200, headers: LARGE_HEADERS }, true);
      return;
    }
    if (what === "echo") {
      this.stream.sendTrailers(ANSWER_TRAILERS);
      return;
    }
    this.stream.respond({ status: 200, headers: ANSWER_HEADERS }, false);
    this.stream.send(what === "large" ? Buffer.alloc(this.bytes) : Buffer.from("ok"), false);
    this.stream.sendTrailers(ANSWER_TRAILERS);
  }

  onClose(): void {
    streams -= 1;
  }
}

const ANSWER_HEADERS = ["content-type", "text/plain"];
const LARGE_HEADERS = ["x", "y".repeat(1_000)];
const ANSWER_TRAILERS = ["grpc-status", "0"];

async function serve(options: TransportOptions): Promise<void> {
  const accept: AcceptStream = (stream, head) => new Answer(stream, head);
  const server = transport.createServer(accept, { ...options, onCutOff: (cutOff) => void cutOffs.push(cutOff) });
  const listener = await listen(
    { port: 0 },
    {
      h2: {
        accept(socket) {
          connections += 1;
          socket.once("close", () => (connections -= 1));
          server.accept(socket);
        },
        renew: () => server.renew(),
        close: async (graceMs) => await server.close(graceMs),
      },
    },
  );
  port = listener.port;
}

function call(to: number, count: number, options: TransportOptions): void {
  const client = transport.createClient(`127.0.0.1:${to}`, {
    ...options,
    onCutOff: (cutOff) => void cutOffs.push(cutOff),
  });
  for (let i = 0; i < count; i += 1) {
    streams += 1;
    const handler: StreamHandler = {
      onData() {},
      onEnd() {},
      onClose(code) {
        streams -= 1;
        ends.push(code);
      },
    };
    client.open({ method: "POST", path: "/", scheme: "http", authority: "a", headers: [] }, false, handler);
  }
}

/** Buffers are given back a moment after the collection that found them unused. */
async function collect(): Promise<void> {
  for (let i = 0; i < 2; i += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function state(): VictimState {
  const { user, system } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  return {
    port,
    cpuMs: (user + system) / 1000,
    memoryBytes: heapUsed + external,
    connections,
    streams,
    cutOffs,
    ends,
  };
}

process.on("message", async (command: VictimCommand) => {
  if (command.do === "serve") await serve(command.options);
  if (command.do === "warm up") await warmUp(`127.0.0.1:${port}`);
  if (command.do === "call") call(command.port, command.streams, command.options);
  if (command.do === "collect") await collect();
  process.send?.(state());
});
process.on("disconnect", () => process.exit());
