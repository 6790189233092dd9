import type { ComponentResource } from "../resources/component.ts";

/** Where something listens. */
export interface BackEnd {
  readonly host: string;
  readonly port: number;
}

const REDIS_PORT = 6379;
const ETCD_PORT = 2379;
const POSTGRESQL_PORT = 5432;
const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** Fields that hold the URL of a server. */
const URL_FIELDS: ReadonlySet<string> = new Set(["url", "endpoint", "jwks", "issuer", "tokenurl", "authurl"]);

/**
 * The servers that a component connects to, as far as its fields say so without a secret: a value from a secret store is
 * not looked up for this.
 */
export function backEndsOf(
  { type, metadata }: Pick<ComponentResource, "type" | "metadata">,
  environment: Readonly<Record<string, string | undefined>>,
): readonly BackEnd[] {
  const values = new Map<string, string>();
  for (const { name, value, envRef, secretKeyRef } of metadata) {
    if (secretKeyRef === undefined) values.set(name.toLowerCase(), value ?? environment[envRef] ?? "");
  }
  const technology = type.split(".").at(-1) ?? "";
  const isWritten = (field: string): boolean => metadata.some(({ name }) => name.toLowerCase() === field);
  switch (technology) {
    case "redis": {
      if (isWritten("redishost") && !values.has("redishost")) return [];
      const port = Number(values.get("redisport") || REDIS_PORT);
      return addresses(values.get("redishost") || "localhost", port);
    }
    case "etcd":
      return addresses(values.get("endpoints") ?? "", ETCD_PORT);
    case "postgresql":
    case "postgres":
      return postgresqlOf(values.get("connectionstring") ?? values.get("url") ?? "");
    default:
      return [...values].flatMap(([name, value]) =>
        URL_FIELDS.has(name) && /^https?:/.test(value) ? addresses(value, 80) : [],
      );
  }
}

/** `host`, `host:port` or a URL; undefined for what is none of them. */
export function hostPort(text: string, portDefault: number): BackEnd | undefined {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = parsed(hasScheme ? text : `tcp://${text}`);
  if (url === undefined || url.hostname === "") {
    return undefined;
  }
  const port = url.port === "" ? (PORTS[url.protocol] ?? portDefault) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port };
}

function addresses(text: string, port: number): readonly BackEnd[] {
  return text.split(",").flatMap((each) => hostPort(each.trim(), port) ?? []);
}

/** A URL, or words such as `host=db port=5432`. */
function postgresqlOf(text: string): readonly BackEnd[] {
  if (/^postgres(?:ql)?:\/\//.test(text)) {
    return addresses(text, POSTGRESQL_PORT);
  }
  const word = (name: string): string | undefined =>
    new RegExp(`(?:^|\\s)${name}\\s*=\\s*'?([^'\\s]+)`).exec(text)?.[1];
  const host = word("host");
  // A path is a socket of this machine.
  return host === undefined || host.startsWith("/") ? [] : [{ host, port: Number(word("port") ?? POSTGRESQL_PORT) }];
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
