import { isTruthy } from "../spi/metadata.ts";
import type { ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { CONSUL_FIELDS } from "./manifest.ts";
import { type ConsulConfiguration, type Json, readConfiguration } from "./shapes.ts";

const DEFAULT_ADDRESS = "127.0.0.1:8500";

/** How the agent is reached, with the environment's and the library's defaults (`api.NewClient` of Consul). */
export interface AgentOptions {
  /** `http://host:port` or `https://…`; for a unix socket the host is only a name. */
  readonly origin: string;
  readonly socketPath: string | undefined;
  readonly token: string;
  /** Read with every request, so that a new token counts at once; before `token`. Empty: none. */
  readonly tokenFile: string;
  /** `user:password`; empty: none. */
  readonly basicAuth: string;
  readonly datacenter: string;
  readonly namespace: string;
  readonly partition: string;
  /** Nanoseconds; 0: the agent's own. */
  readonly waitTime: number;
  readonly tls: {
    readonly serverName: string;
    readonly caFile: string;
    readonly caPath: string;
    readonly certFile: string;
    readonly keyFile: string;
    readonly verify: boolean;
  };
}

export interface ConsulOptions {
  readonly agent: AgentOptions;
  readonly configuration: ConsulConfiguration;
  readonly portKey: string;
}

/**
 * @param metadata texts as they are, everything else as JSON
 * @throws ComponentError naming the field
 */
export function readOptions(
  metadata: ComponentMetadata,
  environment: Readonly<Record<string, string | undefined>>,
): ConsulOptions {
  const written: Record<string, Json> = {};
  for (const [key, text] of Object.entries(metadata)) {
    written[key] = valueOf(key, text);
  }
  const configuration = readConfiguration(written);
  return {
    agent: agentOptions(configuration, environment),
    configuration,
    portKey: configuration.DaprPortMetaKey ?? "DAPR_PORT",
  };
}

function valueOf(key: string, text: string): Json {
  const field = CONSUL_FIELDS.find(({ name }) => name.toLowerCase() === key.toLowerCase());
  if (field === undefined || field.name === "daprPortMetaKey") {
    return text;
  }
  if (field.kind === "boolean") {
    return isTruthy(text);
  }
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new ComponentError("invalidMetadata", `error deserializing to configSpec: ${key} is no list or map`, {
      cause,
      facts: { component: "consul", field: key },
    });
  }
}

function agentOptions(
  { Client: client = {} }: ConsulConfiguration,
  environment: Readonly<Record<string, string | undefined>>,
): AgentOptions {
  const fromEnvironment = (name: string): string => environment[`CONSUL_${name}`] ?? "";
  const tls = client.TLSConfig ?? {};
  const scheme = client.Scheme ?? (isTruthy(fromEnvironment("HTTP_SSL")) ? "https" : "http");
  const address = client.Address || fromEnvironment("HTTP_ADDR") || DEFAULT_ADDRESS;
  const auth = client.HttpAuth;
  return {
    ...placeOf(address, scheme),
    token: client.Token || fromEnvironment("HTTP_TOKEN"),
    tokenFile: client.TokenFile || fromEnvironment("HTTP_TOKEN_FILE"),
    basicAuth: auth === undefined ? fromEnvironment("HTTP_AUTH") : `${auth.Username ?? ""}:${auth.Password ?? ""}`,
    datacenter: client.Datacenter ?? "",
    namespace: fromEnvironment("NAMESPACE"),
    partition: fromEnvironment("PARTITION"),
    waitTime: client.WaitTime ?? 0,
    tls: {
      serverName: tls.Address || fromEnvironment("TLS_SERVER_NAME"),
      caFile: tls.CAFile || fromEnvironment("CACERT"),
      caPath: tls.CAPath || fromEnvironment("CAPATH"),
      certFile: tls.CertFile || fromEnvironment("CLIENT_CERT"),
      keyFile: tls.KeyFile || fromEnvironment("CLIENT_KEY"),
      verify: tls.InsecureSkipVerify !== true && !/^(?:0|f|false)$/i.test(fromEnvironment("HTTP_SSL_VERIFY")),
    },
  };
}

function placeOf(address: string, scheme: string): Pick<AgentOptions, "origin" | "socketPath"> {
  if (address.startsWith("unix://")) {
    return { origin: "http://127.0.0.1", socketPath: address.slice("unix://".length) };
  }
  const url = URL.parse(address.includes("://") ? address : `${scheme}://${address}`);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new ComponentError("invalidMetadata", `failed to init consul client: ${address} is no address of an agent`, {
      facts: { component: "consul", field: "client" },
    });
  }
  return { origin: url.origin, socketPath: undefined };
}
