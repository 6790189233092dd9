import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { connectErrorText } from "../http/errors.ts";
import { GrpcError, grpcCodeOfHttp } from "./status.ts";

/** What grpc-go says of an answer that ends without a status. */
export const NO_TRAILERS_MESSAGE = "server closed the stream without sending trailers";

/** The outcome of a call whose server answered with something other than gRPC, in grpc-go's words. */
export function httpError(status: number, contentType: string | undefined): GrpcError {
  const text = `unexpected HTTP status code received from server: ${status}`;
  const detail =
    contentType?.startsWith("application/grpc") === true
      ? ""
      : `; transport: received unexpected content-type "${contentType ?? ""}"`;
  return new GrpcError(grpcCodeOfHttp(status), text + detail);
}

const DIAL_TEXT = 'connection error: desc = "transport: Error while dialing: ';

/** The outcome of a call for which no connection could be made, in grpc-go's words. */
export function dialError(cause: Error): GrpcError {
  return new GrpcError(GRPC_STATUS.UNAVAILABLE, `${DIAL_TEXT}${dialText(cause)}"`, { cause });
}

/** Whether an outcome is that of a call that was never sent, for want of a connection, here or at a peer. */
export function isDialError({ code, message }: GrpcError): boolean {
  return code === GRPC_STATUS.UNAVAILABLE && message.startsWith(DIAL_TEXT);
}

const GO_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ENOENT: "no such file or directory",
  ETIMEDOUT: "connection timed out",
};

/** What Go's `net` says where it has words of its own. */
function dialText(cause: Error): string {
  const { code, address, port, syscall } = cause as NodeJS.ErrnoException & { address?: string; port?: number };
  const reason = syscall === "connect" ? GO_REASONS[code ?? ""] : undefined;
  if (reason === undefined || address === undefined) return connectErrorText(cause);
  if (port === undefined) return `dial unix ${address}: connect: ${reason}`;
  return `dial tcp ${address.includes(":") ? `[${address}]` : address}:${port}: connect: ${reason}`;
}
