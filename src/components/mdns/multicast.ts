import makeMulticastDns from "multicast-dns";
import type { Logger } from "../../kit/logger.ts";

/** A DNS record as far as we write and read it. Names have no trailing dot. */
export interface DnsRecord {
  readonly type: string;
  readonly name: string;
  readonly ttl?: number | undefined;
  readonly flush?: boolean | undefined;
  readonly data?: unknown;
}

export interface DnsPacket {
  readonly questions?: readonly { readonly type: string; readonly name: string }[] | undefined;
  readonly answers?: readonly DnsRecord[] | undefined;
  readonly additionals?: readonly DnsRecord[] | undefined;
  readonly authorities?: readonly DnsRecord[] | undefined;
}

/** The multicast group of mDNS (RFC 6762), so that tests can do without one. */
export interface Multicast {
  onQuery(listener: (packet: DnsPacket) => void): void;
  onResponse(listener: (packet: DnsPacket) => void): void;
  query(packet: DnsPacket): void;
  respond(packet: DnsPacket): void;
  /** Sends what was handed over, then leaves the group. */
  close(): Promise<void>;
}

/** What of the library's packets we write; its own types demand more than it needs. */
type LibraryPacket = Parameters<ReturnType<typeof makeMulticastDns>["respond"]>[0];
type LibraryQuery = Parameters<ReturnType<typeof makeMulticastDns>["query"]>[0];

/**
 * Joins the group on every IPv4 interface. Everything is sent twice, on the machine's default interface and on loopback:
 * where firewalls, VPNs or missing routes stop the first, sidecars of one machine still find each other.
 */
export function joinMulticast(logger: Logger): Multicast {
  const main = makeMulticastDns();
  const loopback = makeMulticastDns({ interface: "127.0.0.1", bind: false });
  for (const one of [main, loopback]) {
    one.on("error", (error: Error) => logger.warn(`mDNS is not available: ${error.message}`));
    one.on("warning", (error: Error) => logger.debug(`mDNS: ${error.message}`));
  }
  let pending = 0;
  let onIdle: (() => void) | undefined;
  const sent = (error?: Error | null): void => {
    pending -= 1;
    if (error instanceof Error) {
      logger.debug(`mDNS packet not sent: ${error.message}`);
    }
    if (pending === 0) {
      onIdle?.();
    }
  };
  return {
    onQuery: (listener) => void main.on("query", (packet) => listener(packet)),
    onResponse: (listener) => void main.on("response", (packet) => listener(packet)),
    query: (packet) => {
      for (const one of [main, loopback]) {
        pending += 1;
        one.query({ ...packet } as LibraryQuery, sent);
      }
    },
    respond: (packet) => {
      for (const one of [main, loopback]) {
        pending += 1;
        one.respond({ ...packet } as LibraryPacket, sent);
      }
    },
    close: async () => {
      if (pending > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      await Promise.all([main, loopback].map((one) => new Promise<void>((resolve) => one.destroy(resolve))));
    },
  };
}
