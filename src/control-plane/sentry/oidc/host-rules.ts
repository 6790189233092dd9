const ANY = "*";

/** Letters, digits and what else a host and a port are made of; no user, no path. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/;

/** Whom a request was for, as the OIDC server sees it. */
export interface RequestedHost {
  readonly host: string;
  /** `X-Forwarded-Host`, empty without one. */
  readonly forwarded: string;
}

/**
 * Whether a request may be answered: its host, or the one that a proxy says it had, with or without its port, is one of
 * those allowed. None allowed, or `*`, is all.
 */
export function isAllowed(requested: RequestedHost, allowed: readonly string[]): boolean {
  if (allowed.length === 0 || allowed.includes(ANY)) {
    return true;
  }
  const asked = requested.forwarded === "" ? requested.host : requested.forwarded;
  return allowed.includes(asked) || allowed.includes(withoutPort(asked));
}

/**
 * The host by which a document names this server. What a proxy says counts only where it has been found in a list of hosts:
 * otherwise whoever asks could put another's name into the issuer that everybody is shown.
 * @returns undefined for what is no host
 */
export function publicHost({ host, forwarded }: RequestedHost, allowed: readonly string[]): string | undefined {
  const isTrusted = allowed.length > 0 && !allowed.includes(ANY) && forwarded !== "";
  const named = isTrusted ? forwarded : host;
  return HOST.test(named) ? named : undefined;
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
}
