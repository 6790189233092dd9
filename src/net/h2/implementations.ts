import { nodeTransport } from "./node/transport.ts";
import { createH2Transport } from "./protocol/transport.ts";
import type { Transport } from "./transport.ts";

/** The implementations of HTTP/2, by the name that `--http2` gives them. */
export type Http2Implementation = "own" | "node";

/** `own` is the one in `protocol/`; `node` the adapter over `node:http2`, to fall back on and to compare with. */
export function transportOf(implementation: Http2Implementation): Transport {
  return implementation === "own" ? createH2Transport() : nodeTransport;
}
