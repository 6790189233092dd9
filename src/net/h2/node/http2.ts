/** Node's HTTP/2, loaded with the first stream: at start it would cost 10 ms that a sidecar without gRPC never needs. */
export function http2(): typeof import("node:http2") {
  return process.getBuiltinModule("node:http2");
}
