import { CommunicationProtocolEnum, type DaprClientOptions, type LoggerService } from "@dapr/dapr";

/** The protocols that the official SDK speaks with its sidecar, and its server with what calls it. */
export const PROTOCOLS = ["http", "grpc"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

const SILENT: LoggerService = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  verbose: () => undefined,
  debug: () => undefined,
};

/** The protocol of a client or a server, and no lines from it. */
export function sdkBasics(protocol: Protocol) {
  const communicationProtocol = protocol === "http" ? CommunicationProtocolEnum.HTTP : CommunicationProtocolEnum.GRPC;
  return { communicationProtocol, logger: { service: SILENT } };
}

/** What leads a client to a sidecar with these ports. */
export function sdkClientOptions(
  { port, grpcPort }: { readonly port: number; readonly grpcPort: number },
  protocol: Protocol,
): DaprClientOptions {
  const daprPort = String(protocol === "http" ? port : grpcPort);
  return { daprHost: "127.0.0.1", daprPort, ...sdkBasics(protocol) };
}

/** What a call of the SDK failed with: some calls answer with the error, some throw it, some throw `{ error }`. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  let outcome: unknown;
  try {
    outcome = await call;
  } catch (thrown) {
    outcome = thrown;
  }
  const error = outcome instanceof Error ? outcome : (outcome as { readonly error?: Error } | undefined)?.error;
  if (error === undefined) {
    throw new Error(`a failure was expected, and it answered ${JSON.stringify(outcome)}`);
  }
  return error.message;
}
