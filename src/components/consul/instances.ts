import type { HeaderList } from "../../net/http/types.ts";
import type { ConsulConfiguration } from "./shapes.ts";

type QueryOptions = NonNullable<ConsulConfiguration["QueryOptions"]>;

/** A question for the healthy instances of an app. */
export interface InstancesQuery {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: HeaderList;
}

const NANOSECONDS_PER_MS = 1_000_000;

/** How the configuration wants instances to be asked for. @param options what Dapr takes where nothing is written: the agent's cache may answer */
export function instancesQuery(appId: string, options: QueryOptions = { UseCache: true }): InstancesQuery {
  const query = new URLSearchParams({ passing: "1" });
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") {
      query.append(name, value);
    }
  };
  const flag = (name: string, isOn: boolean | undefined, value = ""): void => {
    if (isOn === true) {
      query.append(name, value);
    }
  };
  put("ns", options.Namespace);
  put("partition", options.Partition);
  put("dc", options.Datacenter);
  put("near", options.Near);
  put("filter", options.Filter);
  flag("stale", options.AllowStale);
  flag("consistent", options.RequireConsistent);
  flag("local-only", options.LocalOnly, "true");
  flag("connect", options.Connect, "true");
  put(
    "relay-factor",
    options.RelayFactor === undefined || options.RelayFactor === 0 ? "" : String(options.RelayFactor),
  );
  for (const [key, value] of Object.entries(options.NodeMeta ?? {})) {
    query.append("node-meta", `${key}:${value}`);
  }
  const cached = options.UseCache === true && options.RequireConsistent !== true;
  flag("cached", cached);
  return {
    path: `/v1/health/service/${encodeURIComponent(appId)}`,
    query,
    headers: cached ? cacheControl(options) : [],
  };
}

function cacheControl({ MaxAge = 0, StaleIfError = 0 }: QueryOptions): HeaderList {
  const directives = [
    ...(MaxAge > 0 ? [`max-age=${seconds(MaxAge)}`] : []),
    ...(StaleIfError > 0 ? [`stale-if-error=${seconds(StaleIfError)}`] : []),
  ];
  return directives.length === 0 ? [] : ["cache-control", directives.join(", ")];
}

function seconds(nanoseconds: number): number {
  return Math.floor(nanoseconds / NANOSECONDS_PER_MS / 1_000);
}

export function milliseconds(nanoseconds: number): number {
  return Math.floor(nanoseconds / NANOSECONDS_PER_MS);
}

/** The instances that an answer to such a question lists. */
export interface ListedInstances {
  readonly addresses: readonly string[];
  /** There are some, but none that says its sidecar's port. */
  readonly lackPort: boolean;
}

/** @throws Error for an answer that is no list */
export function instancesOf(body: unknown, portKey: string): ListedInstances {
  if (!Array.isArray(body)) {
    throw new Error("the agent's answer is no list of services");
  }
  const entries = (body as readonly unknown[]).map((each) => readEntry(each, portKey));
  const addresses = entries.flatMap(({ host, port }) => (host === "" || port === "" ? [] : [hostAndPort(host, port)]));
  const lackPort = addresses.length === 0 && entries.some(({ host, port }) => host !== "" && port === "");
  return { addresses: [...new Set(addresses)], lackPort };
}

function readEntry(entry: unknown, portKey: string): { readonly host: string; readonly port: string } {
  const service = member(entry, "Service");
  const host = textOf(member(service, "Address")) || textOf(member(member(entry, "Node"), "Address"));
  const port = textOf(member(member(service, "Meta"), portKey));
  return { host, port: isPort(port) ? port : "" };
}

function isPort(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function hostAndPort(host: string, port: string): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
