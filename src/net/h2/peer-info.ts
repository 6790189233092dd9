import type { Socket } from "node:net";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { PeerInfo } from "./transport.ts";

/** Who is at the other end of an accepted socket. */
export function peerInfoOf(socket: Socket, id: SpiffeId | undefined): PeerInfo {
  return { remoteAddress: plainAddress(socket.remoteAddress), id };
}

/** An address without the IPv4-in-IPv6 prefix that dual-stack sockets show. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
