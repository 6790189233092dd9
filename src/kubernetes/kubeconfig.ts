import { dirname, isAbsolute, join } from "node:path";
import { errorMessage } from "../kit/error-message.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { readSmallFile } from "./small-file.ts";

type Section = Readonly<Record<string, unknown>>;

/** Aliases of one document, which kubeconfigs have no use for. */
const ALIASES_MAX = 100;

/**
 * The access of a kubeconfig's current context: certificates and tokens in place or in files, which are relative to it.
 * @throws Error naming the file and what is missing, or is a way to log in that is not supported (`exec`, `auth-provider`)
 */
export async function readKubeconfig(path: string): Promise<ClusterAccess> {
  const { parse } = await import("yaml");
  const text = await readSmallFile(path);
  try {
    const config = section(parse(text, { maxAliasCount: ALIASES_MAX }), "the file");
    const name = textOf(config, "current-context");
    const context = named(config, "contexts", "context", name);
    const cluster = named(config, "clusters", "cluster", textOf(context, "cluster"));
    const user = named(config, "users", "user", textOf(context, "user"));
    return await accessOf(dirname(path), context, cluster, user);
  } catch (cause) {
    throw new Error(`kubeconfig ${path}: ${errorMessage(cause)}`, { cause });
  }
}

async function accessOf(folder: string, context: Section, cluster: Section, user: Section): Promise<ClusterAccess> {
  for (const way of ["exec", "auth-provider"]) {
    if (user[way] !== undefined) {
      throw new Error(
        `the user logs in by ${way}, which is not supported; use a token, tokenFile or client certificate`,
      );
    }
  }
  const server = textOf(cluster, "server");
  if (!URL.canParse(server)) {
    throw new Error(`the cluster's server is no URL: ${JSON.stringify(server)}`);
  }
  const { origin, pathname } = new URL(server);
  const pem = async (of: Section, key: string): Promise<string> => {
    const inPlace = textOf(of, `${key}-data`);
    const file = textOf(of, key);
    if (inPlace !== "") {
      return Buffer.from(inPlace, "base64").toString("utf8");
    }
    return file === "" ? "" : await readSmallFile(absolute(folder, file));
  };
  const tokenFile = textOf(user, "tokenFile");
  const username = textOf(user, "username");
  return {
    server: origin,
    basePath: pathname.replace(/\/+$/, ""),
    ca: await pem(cluster, "certificate-authority"),
    serverName: textOf(cluster, "tls-server-name") || undefined,
    skipsVerification: cluster["insecure-skip-tls-verify"] === true,
    clientCertificate: await pem(user, "client-certificate"),
    clientKey: await pem(user, "client-key"),
    token: textOf(user, "token"),
    tokenFile: tokenFile === "" ? "" : absolute(folder, tokenFile),
    basic: username === "" ? undefined : { username, password: textOf(user, "password") },
    namespace: textOf(context, "namespace") || "default",
  };
}

function absolute(folder: string, file: string): string {
  return isAbsolute(file) ? file : join(folder, file);
}

/** What `name` stands for in a list of the file; no name is nothing. */
function named(config: Section, list: string, key: string, name: string): Section {
  const entries = config[list];
  const entry = (Array.isArray(entries) ? (entries as readonly unknown[]) : []).find(
    (one) => section(one, `an entry of ${list}`)["name"] === name,
  );
  if (entry === undefined) {
    throw new Error(`there is no ${key} named ${JSON.stringify(name)} under ${list}`);
  }
  const found = section(entry, `an entry of ${list}`)[key];
  return found === undefined || found === null ? {} : section(found, `${key} ${name}`);
}

function section(value: unknown, what: string): Section {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${what} is no map`);
  }
  return value as Section;
}

function textOf(from: Section, key: string): string {
  const value = from[key];
  if (value === undefined || value === null) {
    return "";
  }
  if (typeof value !== "string") {
    throw new Error(`${key} is no text`);
  }
  return value;
}
