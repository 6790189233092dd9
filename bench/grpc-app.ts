// The app of `invoke-grpc` and `proxy-grpc`: answers every call with 1 KiB. Usage: node grpc-app.ts [port]
import { anyPack } from "@bufbuild/protobuf/wkt";
import { create, toBinary } from "@bufbuild/protobuf";
import { listen } from "../src/net/http/listener.ts";
import { createH2Transport } from "../src/net/h2/protocol/transport.ts";
import { InvokeResponseSchema } from "../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import { GetStateResponseSchema } from "../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";

const ANSWERED = new Set(["/dapr.proto.runtime.v1.AppCallback/OnInvoke", "/bench.Orders/Place"]);
const HEAD = { status: 200, headers: ["content-type", "application/grpc"] };
const UNIMPLEMENTED = ["content-type", "application/grpc", "grpc-status", "12"];
const OK = ["grpc-status", "0"];

const message = toBinary(
  InvokeResponseSchema,
  create(InvokeResponseSchema, {
    data: anyPack(GetStateResponseSchema, create(GetStateResponseSchema, { data: Buffer.alloc(1024, 0x78) })),
    contentType: "application/octet-stream",
  }),
);
const reply = Buffer.alloc(5 + message.length);
reply.writeUInt32BE(message.length, 1);
reply.set(message, 5);

const server = createH2Transport().createServer((stream, { path }) => ({
  onData() {},
  onEnd() {
    if (!ANSWERED.has(path)) {
      stream.respond({ status: 200, headers: UNIMPLEMENTED }, true);
      return;
    }
    stream.respond(HEAD, false);
    stream.send(reply, false);
    stream.sendTrailers(OK);
  },
  onClose() {},
}));
await listen(
  { host: "127.0.0.1", port: Number(process.argv[2]) },
  { h2: server, http: (exchange) => exchange.respond(200, []) },
);
