import { once } from "node:events";
import http2 from "node:http2";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** The bytes that each end of one connection sent, as another implementation of HTTP/2 wrote them. */
export interface Recording {
  readonly name: string;
  readonly fromClient: Buffer;
  readonly fromServer: Buffer;
  /** Streams the client opened. */
  readonly streams: number;
}

interface Call {
  readonly headers: http2.OutgoingHttpHeaders;
  readonly body?: Buffer;
  /** Bodies the server answers with; trailers follow. */
  readonly answer: readonly Buffer[];
  readonly cancel?: boolean;
}

const GRPC = { ":method": "POST", "content-type": "application/grpc", te: "trailers" } as const;

const SCENARIOS: readonly { readonly name: string; readonly calls: readonly Call[] }[] = [
  {
    name: "unary calls",
    calls: Array.from({ length: 4 }, (_, i) => ({
      headers: { ...GRPC, ":path": "/pkg.Service/Method", "grpc-timeout": `${1000 + i}m`, "x-one": "ünlaut".repeat(i) },
      body: Buffer.alloc(200, i),
      answer: [Buffer.alloc(1000, i)],
    })),
  },
  {
    name: "large heads and bodies",
    calls: [
      {
        headers: { ...GRPC, ":path": "/large", "x-large": "abcdefghij".repeat(2500), cookie: ["a=1", "b=2"] },
        body: Buffer.alloc(40_000, 1),
        answer: [Buffer.alloc(30_000, 2), Buffer.alloc(20_000, 3)],
      },
    ],
  },
  {
    name: "gets, a head request and a cancelled stream",
    calls: [
      { headers: { ":method": "GET", ":path": "/" }, answer: [] },
      { headers: { ":method": "HEAD", ":path": "/head" }, answer: [] },
      { headers: { ...GRPC, ":path": "/cancel" }, body: Buffer.alloc(10), answer: [Buffer.alloc(10)], cancel: true },
      {
        headers: { ":method": "PUT", ":path": "/put", "content-length": "5" },
        body: Buffer.from("hello"),
        answer: [Buffer.from("x")],
      },
    ],
  },
];

/** Lets `node:http2` talk to itself through a wire that is listened to. */
export async function record(): Promise<Recording[]> {
  const recordings: Recording[] = [];
  for (const { name, calls } of SCENARIOS) recordings.push(await recordOne(name, calls));
  return recordings;
}

async function recordOne(name: string, calls: readonly Call[]): Promise<Recording> {
  const server = http2.createServer();
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => answer(stream, calls[Number(headers["x-call"])]));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const fromClient: Buffer[] = [];
  const fromServer: Buffer[] = [];
  const wire = createServer((down: Socket) => {
    const up = connect((server.address() as AddressInfo).port, "127.0.0.1");
    down.on("data", (chunk: Buffer) => fromClient.push(chunk));
    up.on("data", (chunk: Buffer) => fromServer.push(chunk));
    down.pipe(up).pipe(down);
    for (const socket of [up, down]) socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(wire, "listening");
  const client = http2.connect(`http://127.0.0.1:${(wire.address() as AddressInfo).port}`);
  for (const [index, call] of calls.entries()) await make(client, index, call);
  client.close();
  await once(client, "close");
  server.close();
  wire.close();
  return { name, fromClient: Buffer.concat(fromClient), fromServer: Buffer.concat(fromServer), streams: calls.length };
}

function answer(stream: http2.ServerHttp2Stream, call: Call | undefined): void {
  stream.on("error", () => undefined);
  if (call === undefined) return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  stream.resume();
  stream.once("end", () => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "x-answer": "yes" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }));
    for (const part of call.answer) stream.write(part);
    stream.end();
  });
}

async function make(client: http2.ClientHttp2Session, index: number, call: Call): Promise<void> {
  const stream = client.request({ ...call.headers, "x-call": String(index) }, { endStream: call.body === undefined });
  stream.on("error", () => undefined);
  stream.resume();
  if (call.body !== undefined) stream.write(call.body);
  if (call.cancel === true) setImmediate(() => stream.close(http2.constants.NGHTTP2_CANCEL));
  else stream.end();
  await once(stream, "close");
}
