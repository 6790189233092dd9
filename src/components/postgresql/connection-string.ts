import { ComponentError } from "../spi/errors.ts";

/** Settings by their names in libpq, `dbname` as `database`. */
export type ConnectionParameters = Readonly<Record<string, string>>;

/** Metadata that goes before the connection string; undefined where it is not set. */
export interface ConnectionOverrides {
  readonly user: string | undefined;
  readonly host: string | undefined;
  readonly hostaddr: string | undefined;
  readonly port: string | undefined;
  readonly database: string | undefined;
  readonly password: string | undefined;
  readonly sslrootcert: string | undefined;
}

const URL_SCHEME = /^postgres(?:ql)?:\/\//;

/**
 * Reads a connection string, a URL or `keyword=value` words, as Dapr's components and pgx do.
 * @throws ComponentError `invalidMetadata`; passwords do not appear in it
 */
export function readConnectionString(text: string, overrides: ConnectionOverrides): ConnectionParameters {
  if (URL_SCHEME.test(text)) {
    return withAddress(readUrl(text, overrides), overrides);
  }
  const words = rebuildWords(text, overrides);
  if (words === "") {
    throw new ComponentError("invalidMetadata", "failed to build connection string");
  }
  return withAddress(readKeywords(words), overrides);
}

/** What is wrong with a connection string, in pgx's form. */
export function unreadable(text: string, reason: string): ComponentError {
  return new ComponentError(
    "invalidMetadata",
    `failed to parse connection string: cannot parse \`${redact(text)}\`: ${reason}`,
  );
}

function redact(text: string): string {
  return text
    .replace(/password='[^']*'/g, "password=xxxxx")
    .replace(/password=[^ ]*/g, "password=xxxxx")
    .replace(/:\/\/([^/@:]*):[^@]*@/, "://$1:xxxxx@");
}

/** pgx takes no `hostaddr`; it is the address to connect to, as in libpq. */
function withAddress(parameters: Record<string, string>, { hostaddr }: ConnectionOverrides): ConnectionParameters {
  const address = parameters["hostaddr"] ?? hostaddr;
  delete parameters["hostaddr"];
  return address === undefined ? parameters : { ...parameters, host: address };
}

/** Words with values from metadata in the places of their own; what is no `keyword=value` is dropped. */
function rebuildWords(text: string, overrides: ConnectionOverrides): string {
  const given = new Map(Object.entries(overrides).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const words: string[] = [];
  for (const word of keywordWords(text)) {
    const [key, value] = cutAt(word, "=");
    const name = key === "dbname" && given.has("database") ? "database" : key;
    const override = given.get(name);
    given.delete(name);
    words.push(override === undefined ? `${key}=${value ?? ""}` : `${name}=${quoteValue(override)}`);
  }
  for (const [key, value] of given) {
    words.push(`${key}=${quoteValue(value)}`);
  }
  return words.join(" ");
}

/** `key=value` pieces between spaces; a value in single quotes may hold spaces. */
function keywordWords(text: string): readonly string[] {
  return text.match(/[^\s=]+\s*=\s*(?:'(?:[^'\\]|\\.)*'?|(?:[^\s\\]|\\.)*)/gs) ?? [];
}

function quoteValue(value: string): string {
  return /^[^\s'\\]+$/.test(value) ? value : `'${value.replace(/['\\]/g, "\\$&")}'`;
}

const KEYWORD = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?:\s|$)/gsy;

function readKeywords(text: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  let end = 0;
  for (const [whole, key = "", quoted, bare] of text.matchAll(KEYWORD)) {
    end += whole.length;
    const value = (quoted ?? bare ?? "").replace(/\\(.)/gs, "$1");
    if (key !== "user" || value !== "") {
      parameters[nameOf(key)] = value;
    }
  }
  if (end < text.trimEnd().length) {
    throw unreadable(text, "failed to parse as keyword/value (unterminated quoted string in connection info string)");
  }
  return parameters;
}

function nameOf(key: string): string {
  return key === "dbname" ? "database" : key;
}

const URL_PARTS = /^[a-z]+:\/\/(?:([^/?#]*)@)?([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$/s;

function readUrl(text: string, overrides: ConnectionOverrides): Record<string, string> {
  const parts = URL_PARTS.exec(text);
  if (parts === null) {
    throw unreadable(text, "failed to parse as URL");
  }
  const [, userInfo = "", hosts = "", path = "", query = ""] = parts;
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      const escape = /%(?![0-9a-f]{2}).{0,2}/i.exec(part)?.[0] ?? part;
      throw unreadable(text, `failed to parse as URL (invalid URL escape "${escape}")`);
    }
  };
  const parameters: Record<string, string> = {};
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") {
      parameters[name] = value;
    }
  };
  const [user, password] = cutAt(userInfo, ":");
  set("user", overrides.user ?? decode(user));
  if (overrides.password !== undefined || password !== undefined) {
    parameters["password"] = overrides.password ?? decode(password ?? "");
  }
  const address = overrides.hostaddr ?? overrides.host;
  readHosts(text, address === undefined ? decode(hosts) : bracketed(address), parameters);
  set("port", overrides.port);
  set("database", (overrides.database ?? decode(path)).replace(/^\/+/, ""));
  for (const pair of query
    .split("&")
    .filter((one) => one !== "")
    .toReversed()) {
    const [key, value = ""] = cutAt(pair.replaceAll("+", " "), "=");
    parameters[nameOf(decode(key))] = decode(value);
  }
  set("sslrootcert", overrides.sslrootcert);
  return parameters;
}

function bracketed(address: string): string {
  return /^[^[\]]*:[^[\]]*:/.test(address) ? `[${address}]` : address;
}

/** `host:port,host:port`; a host may be an IPv6 address in brackets, and may lack its port. */
function readHosts(text: string, list: string, parameters: Record<string, string>): void {
  const hosts: string[] = [];
  const ports: string[] = [];
  for (const one of list.split(",").filter((entry) => entry !== "")) {
    const [, bracketedHost, host, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/.exec(one) ?? [];
    if (bracketedHost === undefined && host === undefined) {
      throw unreadable(
        text,
        `failed to parse as URL (failed to split host:port in '${one}', err: address ${one}: too many colons in address)`,
      );
    }
    const name = bracketedHost ?? host ?? "";
    if (name !== "") hosts.push(name);
    if (port !== undefined && port !== "") ports.push(port);
  }
  if (hosts.length > 0) parameters["host"] = hosts.join(",");
  if (ports.length > 0) parameters["port"] = ports.join(",");
}

function cutAt(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
