import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import type { ConnectionParameters } from "./connection-string.ts";

/**
 * The ways to secure a connection to one host, in the order to try them (libpq's `sslmode`); undefined: not at all.
 * Without a mode it is `prefer`: TLS to whoever answers, else in the clear.
 * @throws Error in pgx's words
 */
export function tlsChoices(given: ConnectionParameters): readonly (ConnectionOptions | undefined)[] {
  const { mode, authorities } = modeOf(given);
  if (mode === "disable") {
    return [undefined];
  }
  const options: ConnectionOptions = {
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...verification(mode, authorities !== undefined),
    ...clientCertificate(given),
  };
  switch (mode) {
    case "allow":
      return [undefined, options];
    case "prefer":
      return [options, undefined];
    default:
      return [options];
  }
}

function modeOf(given: ConnectionParameters): { readonly mode: string; readonly authorities: string | undefined } {
  const asked = given["sslmode"] ?? "";
  const mode =
    asked === "" || asked === "prefer" ? (given["sslnegotiation"] === "direct" ? "require" : "prefer") : asked;
  const path = given["sslrootcert"] ?? "";
  if (path === "" || mode === "disable") {
    return { mode, authorities: undefined };
  }
  if (path === "system") {
    return { mode: "verify-full", authorities: undefined };
  }
  const authorities = read(path, "unable to read CA file");
  if (!authorities.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Error("unable to add CA to cert pool");
  }
  return { mode, authorities };
}

function verification(mode: string, hasAuthorities: boolean): ConnectionOptions {
  switch (mode) {
    case "allow":
    case "prefer":
      return { rejectUnauthorized: false };
    case "require":
      // With authorities at hand, `require` is as good as `verify-ca`.
      return hasAuthorities ? verification("verify-ca", true) : { rejectUnauthorized: false };
    case "verify-ca":
      return { rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case "verify-full":
      return { rejectUnauthorized: true };
    default:
      throw new Error("sslmode is invalid");
  }
}

function clientCertificate(given: ConnectionParameters): ConnectionOptions {
  const certificate = given["sslcert"] ?? "";
  const key = given["sslkey"] ?? "";
  if ((certificate === "") !== (key === "")) {
    throw new Error('both "sslcert" and "sslkey" are required');
  }
  if (certificate === "") {
    return {};
  }
  const passphrase = given["sslpassword"] ?? "";
  return {
    key: read(key, "unable to read sslkey"),
    cert: read(certificate, "unable to read cert"),
    ...(passphrase === "" ? {} : { passphrase }),
  };
}

function read(path: string, failure: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ENOENT" ? "no such file or directory" : code === "EACCES" ? "permission denied" : String(code);
    throw new Error(`${failure}: open ${path}: ${reason}`, { cause: error });
  }
}
