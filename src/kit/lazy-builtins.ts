/** Node's cryptography, loaded with the first key, digest or random bytes: 7 ms of a start. */
export function crypto(): typeof import("node:crypto") {
  return process.getBuiltinModule("node:crypto");
}

/** Node's TLS, loaded where a connection asks for it: at start it would cost 4 ms that most sidecars never need. */
export function tls(): typeof import("node:tls") {
  return process.getBuiltinModule("node:tls");
}

/** Node's compression, loaded with the first compressed message. */
export function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}
