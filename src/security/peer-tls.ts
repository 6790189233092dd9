import { constants } from "node:crypto";
import type { Socket } from "node:net";
import type { SecureContext, SecureContextOptions, Server, TLSSocket } from "node:tls";
import { tls } from "../kit/lazy-builtins.ts";
import type { SpiffeId } from "../kit/spiffe-id.ts";
import { socketTarget } from "../net/h2/open-socket.ts";
import type { MutualTls } from "../net/http/listener.ts";
import { HANDSHAKE_TIMEOUT_MS } from "./limits.ts";
import { type ExpectedPeer, identityOf, IS_AUTHORITY, mismatch } from "./peer-certificate.ts";

/** What an end of a TLS connection shows and believes; PEM each. */
export interface TlsMaterial {
  /** Absent: nothing is shown, as by a client that the server knows by other means. */
  readonly own?: { readonly chain: string; readonly privateKey: string };
  readonly trustAnchors: string;
}

/** Told of connections that were refused, with the reason and the address they came from. */
export type OnRefused = (reason: string, remoteAddress: string) => void;

/** As Node has it; OpenSSL's own errors have a short reason. */
type TlsError = Error & { readonly code?: string; readonly reason?: string };

const ALPN = ["h2"];

/**
 * TLS 1.2 and newer, as go-spiffe has it. For clients an intermediate certificate among the trust anchors ends a chain, as in
 * Go; servers need the root, because Node 26 has that option for clients only. No session tickets: who resumes a session does not show its certificate again, which may have expired.
 */
function contextOptions({ own, trustAnchors }: TlsMaterial): SecureContextOptions {
  return {
    ...(own === undefined ? {} : { cert: own.chain, key: own.privateKey }),
    ca: trustAnchors,
    minVersion: "TLSv1.2",
    allowPartialTrustChain: true,
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** Made once for each certificate, not for each connection. */
export function clientContext(material: TlsMaterial): SecureContext {
  return tls().createSecureContext(contextOptions(material));
}

/**
 * Begins a TLS connection to `host:port`. It fails unless the server's certificate leads to a trust anchor and names the
 * expected peer; host names in certificates mean nothing here.
 */
export function connectPeer(authority: string, context: SecureContext, expected: ExpectedPeer): Socket {
  const socket = tls().connect({
    ...socketTarget(authority),
    secureContext: context,
    ALPNProtocols: ALPN,
    // Said here, since Node's environment variable would switch it off otherwise.
    rejectUnauthorized: true,
    checkServerIdentity: (_host, { ca, subjectaltname }) => {
      const fault = ca ? IS_AUTHORITY : mismatch(subjectaltname, expected);
      return fault === undefined ? undefined : new Error(fault);
    },
  });
  socket.setNoDelay(true);
  return socket;
}

/** One port's mutual TLS; the certificate is exchanged while it serves. */
export class PeerDoor implements MutualTls {
  readonly server: Server;
  readonly #told = new Set<() => void>();
  readonly #expected: ExpectedPeer | undefined;
  readonly #onRefused: OnRefused;

  /** @param expected the only peer that may connect; undefined: whoever has a certificate */
  constructor(material: TlsMaterial, expected: ExpectedPeer | undefined, onRefused: OnRefused) {
    this.#expected = expected;
    this.#onRefused = onRefused;
    this.server = tls().createServer({
      ...contextOptions(material),
      requestCert: true,
      // Refused by `identify`, which can say why: Node would only close the connection.
      rejectUnauthorized: false,
      ALPNProtocols: ALPN,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    this.server.on("tlsClientError", (error: TlsError, socket) => {
      // Somebody who looks whether the port is open, as placement does, goes away again.
      if (error.code !== "ECONNRESET") {
        onRefused(`the TLS handshake failed: ${error.reason ?? error.message}`, addressOf(socket));
      }
    });
  }

  identify(socket: TLSSocket): SpiffeId | undefined {
    const certificate = socket.getPeerX509Certificate();
    const found =
      certificate === undefined
        ? { fault: "it has shown no certificate" }
        : socket.authorized
          ? identityOf(certificate)
          : { fault: `its certificate cannot be verified: ${String(socket.authorizationError)}` };
    const fault =
      "fault" in found
        ? found.fault
        : this.#expected === undefined
          ? undefined
          : mismatch(certificate?.subjectAltName, this.#expected);
    if ("id" in found && fault === undefined) {
      return found.id;
    }
    this.#onRefused(fault ?? "", addressOf(socket));
    return undefined;
  }

  onRenewal(told: () => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  /** From now on new connections see this material, and the ones that stand are asked to end. */
  renew(material: TlsMaterial): void {
    this.server.setSecureContext(contextOptions(material));
    for (const told of this.#told) {
      told();
    }
  }
}

function addressOf({ remoteAddress }: Socket): string {
  return (remoteAddress ?? "").replace(/^::ffff:/, "");
}
