import { createServer, type Server as TlsServer } from "node:tls";
import { type Clock, sleep } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import { type Listener, listen } from "../../../net/http/listener.ts";
import type { HttpExchange } from "../../../net/http/types.ts";
import { listenAddress, listenText } from "../../shared/listen-address.ts";
import type { RoleContext } from "../../shared/types.ts";
import { readBounded } from "../issuer/file-store.ts";
import type { JwtIssuer } from "../jwt/jwt-issuer.ts";
import {
  CLOSE_GRACE_MS,
  HANDSHAKE_TIMEOUT_MS,
  OIDC_CONNECTIONS_MAX,
  OIDC_FILES_WAIT_MS,
  OIDC_HEADER_BYTES_MAX,
} from "../limits.ts";
import type { OidcOptions } from "../sentry-options.ts";
import { isAllowed, publicHost, type RequestedHost } from "./host-rules.ts";

const JWKS_PATH = "/jwks.json";
const DISCOVERY_PATH = "/.well-known/openid-configuration";

const JSON_HEADERS = ["content-type", "application/json", "cache-control", "public, max-age=3600"] as const;
const TEXT_HEADERS = ["content-type", "text/plain; charset=utf-8", "x-content-type-options", "nosniff"] as const;

/**
 * As much of OpenID Connect as resource providers need to check the sentry's JWTs (OpenID Connect Discovery 1.0): the
 * document that says where the keys are, and the keys.
 */
export class OidcServer {
  readonly #options: OidcOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** `--jwt-issuer`; undefined: each request's host is the issuer. */
  readonly #issuer: string | undefined;
  readonly #jwt: () => JwtIssuer | undefined;
  readonly #jwksPath: string;
  readonly #discoveryPath: string;
  readonly #stopping = new AbortController();
  #tls: TlsServer | undefined;
  #listener: Listener | undefined;

  constructor(
    options: OidcOptions,
    context: RoleContext,
    issuer: string | undefined,
    jwt: () => JwtIssuer | undefined,
  ) {
    this.#options = options;
    this.#clock = context.clock;
    this.#logger = context.logger.scope("dapr.sentry.server.oidc.http");
    this.#issuer = issuer === "" ? undefined : issuer;
    this.#jwt = jwt;
    const prefix = options.pathPrefix.replace(/^\/*(.*?)\/*$/, "$1");
    const base = prefix === "" ? "" : `/${prefix}`;
    this.#jwksPath = `${base}${JWKS_PATH}`;
    this.#discoveryPath = `${base}${DISCOVERY_PATH}`;
    if (base !== "") {
      this.#logger.info(`Using path prefix "${base}" for OIDC HTTP endpoints`);
    }
  }

  /** Resolves when the port is open, for which the certificate's files must be there. @throws ListenError, and Error for files */
  async start(): Promise<void> {
    const { port, listenAddress: host, tls, allowedHosts } = this.#options;
    this.#logger.info(
      allowedHosts.length > 0
        ? `OIDC server will only accept requests for hosts: [${allowedHosts.join(" ")}]`
        : "OIDC server will accept requests for any host",
    );
    if (tls !== undefined) {
      this.#tls = createServer({ minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
      await this.#waitForFiles(tls);
    }
    if (this.#stopping.signal.aborted) {
      return;
    }
    this.#listener = await listen(listenAddress(host, port), {
      http: (exchange) => this.#serve(exchange),
      secure: this.#tls,
      headerBytesMax: OIDC_HEADER_BYTES_MAX,
      connectionsMax: OIDC_CONNECTIONS_MAX,
    });
    const insecure = tls === undefined ? " (insecure)" : "";
    this.#logger.info(`Starting OIDC HTTP server${insecure} on ${listenText(host, this.#listener.port)}`);
  }

  /** Reads the certificate's files again. @throws Error for files that cannot be used; the certificate stays what it was */
  async reload(): Promise<void> {
    const { tls } = this.#options;
    if (tls === undefined || this.#tls === undefined) {
      return;
    }
    try {
      const [cert, key] = await Promise.all([readBounded(tls.certFile), readBounded(tls.keyFile)]);
      this.#tls.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
    } catch (cause) {
      throw new Error(
        `failed to load TLS certificate and key: ${tls.certFile}, ${tls.keyFile}: ${errorMessage(cause)}`,
        { cause },
      );
    }
    this.#logger.info(`Loaded TLS certificate from ${tls.certFile} and key from ${tls.keyFile}`);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the OIDC server stops"));
    this.#tls?.close();
    if (this.#listener !== undefined) {
      this.#logger.info("Shutting down OIDC HTTP server");
      await this.#listener.close(CLOSE_GRACE_MS);
    }
  }

  async #waitForFiles({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }): Promise<void> {
    for (;;) {
      try {
        await this.reload();
        return;
      } catch (error) {
        if (!isMissing(error)) {
          throw error;
        }
      }
      this.#logger.warn(`Waiting for TLS certificate and key files to be available: ${certFile}, ${keyFile}`);
      await sleep(this.#clock, OIDC_FILES_WAIT_MS, this.#stopping.signal).catch(() => undefined);
      if (this.#stopping.signal.aborted) {
        return;
      }
    }
  }

  #serve(exchange: HttpExchange): void {
    const path = exchange.target.split("?", 1)[0];
    if (path !== this.#jwksPath && path !== this.#discoveryPath) {
      fail(exchange, 404, "404 page not found");
      return;
    }
    const requested = { host: exchange.header("host") ?? "", forwarded: exchange.header("x-forwarded-host") ?? "" };
    if (!isAllowed(requested, this.#options.allowedHosts)) {
      this.#logger.warn(
        `Request from unauthorized domain: ${JSON.stringify((requested.forwarded || requested.host).slice(0, 256))}`,
      );
      fail(exchange, 403, "Forbidden: unauthorized domain");
      return;
    }
    if (exchange.method !== "GET") {
      fail(exchange, 405, "Method not allowed");
      return;
    }
    const jwt = this.#jwt();
    if (jwt === undefined) {
      fail(exchange, 404, path === this.#jwksPath ? "JWKS not available" : "OIDC configuration not available");
    } else if (path === this.#jwksPath) {
      exchange.respond(200, JSON_HEADERS, jwt.jwksJson);
    } else {
      this.#discover(exchange, requested, jwt);
    }
  }

  #discover(exchange: HttpExchange, requested: RequestedHost, jwt: JwtIssuer): void {
    const host = publicHost(requested, this.#options.allowedHosts);
    const own = host === undefined ? undefined : `${this.#tls === undefined ? "http" : "https"}://${host}`;
    const issuer = this.#issuer ?? own;
    const jwksUri = this.#options.jwksUri ?? (issuer === undefined ? undefined : at(issuer, this.#jwksPath));
    if (issuer === undefined || jwksUri === undefined) {
      fail(exchange, 400, "Invalid host");
      return;
    }
    const document = {
      issuer,
      jwks_uri: jwksUri,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [jwt.algorithm],
      scopes_supported: ["openid"],
      claims_supported: ["sub", "iss", "aud", "exp", "iat", "nbf", "use"],
    };
    exchange.respond(200, JSON_HEADERS, `${JSON.stringify(document)}\n`);
  }
}

/** The path on the origin of a URL; the path alone where an issuer is none. */
function at(url: string, path: string): string {
  return URL.canParse(url) ? new URL(path, url).href : path;
}

function fail(exchange: HttpExchange, status: number, text: string): void {
  exchange.respond(status, TEXT_HEADERS, `${text}\n`);
}

function isMissing(error: unknown): boolean {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return cause?.code === "ENOENT";
}
