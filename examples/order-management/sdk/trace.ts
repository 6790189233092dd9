import { GRPCClient, HTTPClient } from "@dapr/dapr";
import { AsyncLocalStorage } from "node:async_hooks";

/** W3C's: which trace a request is part of, and what goes along with it. */
const NAMES = ["traceparent", "tracestate", "baggage"] as const;

type Trace = Readonly<Record<string, string>>;

/** Of a request or a message, by HTTP or by gRPC; names are in lower case. */
export type TraceHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

const current = new AsyncLocalStorage<Trace>();

/** Runs what a request or a message asks for: all calls of sidecars meanwhile are part of the same trace. */
export function inTraceOf<Result>(headers: TraceHeaders, run: () => Result): Result {
  const trace: Record<string, string> = {};
  for (const name of NAMES) {
    const value = headers[name];
    if (typeof value === "string") trace[name] = value;
  }
  return current.run(trace, run);
}

/**
 * Lets all clients of the SDK hand on the trace that they are called in. The SDK does not do it itself, and it makes clients
 * of its own, such as those of actors.
 */
export function handOnTraces(): void {
  const { execute } = HTTPClient.prototype;
  HTTPClient.prototype.execute = async function (url, params, requiresInitialization) {
    const traced = { method: "GET", ...params, headers: { ...params?.headers, ...current.getStore() } };
    return await execute.call(this, url, traced, requiresInitialization);
  };
  const { getClient } = GRPCClient.prototype;
  const traced = new WeakMap<GrpcClient, GrpcClient>();
  GRPCClient.prototype.getClient = async function (requiresInitialization) {
    const client = await getClient.call(this, requiresInitialization);
    const known = traced.get(client) ?? tracedClient(client);
    traced.set(client, known);
    return known;
  };
}

type GrpcClient = Awaited<ReturnType<GRPCClient["getClient"]>>;
type Method = (request: unknown, options?: object) => unknown;

/** The same methods, each with the trace in its metadata. */
function tracedClient(client: GrpcClient): GrpcClient {
  const methods = Object.entries(client as unknown as Readonly<Record<string, Method>>);
  const traced = methods.map(([name, method]): [string, Method] => [
    name,
    (request, options) => method(request, { headers: current.getStore(), ...options }),
  ]);
  return Object.fromEntries(traced) as unknown as GrpcClient;
}
