/** Node's TLS, loaded where a connection asks for it: at start it would cost 4 ms that most sidecars never need. */
export function tls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}

/** Node's compression, loaded with the first compressed message. */
export function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}
