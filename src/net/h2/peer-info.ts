import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";
import type { PeerInfo } from "./transport.ts";

/** Who is at the other end of an accepted socket. */
export function peerInfoOf(socket: Socket): PeerInfo {
  return { remoteAddress: plainAddress(socket.remoteAddress), certificate: certificateOf(socket) };
}

/** An empty object stands for "none" there. */
function certificateOf(socket: Socket): Uint8Array | undefined {
  if (!isSecure(socket)) return undefined;
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  return certificate.raw;
}

/** An address without the IPv4-in-IPv6 prefix that dual-stack sockets show. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

function isSecure(socket: Socket): socket is TLSSocket {
  return "encrypted" in socket;
}
