import { ComponentError } from "../spi/errors.ts";

/** Any value that a Configuration can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

type Leaf = "text" | "flag" | "number" | "texts" | "textMap" | "textsMap" | "any";

/** A value's shape: a leaf, a struct by its fields, or a list of such structs. */
type Shape = Leaf | Fields | readonly [Fields] | (() => Fields);

/** Field names as the agent has them; users may write them in any case. */
interface Fields {
  readonly [name: string]: Shape;
}

const CHECK: Fields = {
  CheckID: "text",
  Name: "text",
  Args: "texts",
  DockerContainerID: "text",
  Shell: "text",
  Interval: "text",
  Timeout: "text",
  TTL: "text",
  HTTP: "text",
  Header: "textsMap",
  Method: "text",
  TCP: "text",
  Status: "text",
  Notes: "text",
  TLSSkipVerify: "flag",
  GRPC: "text",
  GRPCUseTLS: "flag",
  AliasNode: "text",
  AliasService: "text",
  DeregisterCriticalServiceAfter: "text",
};

const MESH_GATEWAY: Fields = { Mode: "text" };

const PROXY: Fields = {
  DestinationServiceName: "text",
  DestinationServiceID: "text",
  LocalServiceAddress: "text",
  LocalServicePort: "number",
  Config: "any",
  Upstreams: [
    {
      DestinationType: "text",
      DestinationNamespace: "text",
      DestinationName: "text",
      Datacenter: "text",
      LocalBindAddress: "text",
      LocalBindPort: "number",
      Config: "any",
      MeshGateway: MESH_GATEWAY,
    },
  ],
  MeshGateway: MESH_GATEWAY,
  Expose: {
    Checks: "flag",
    Paths: [
      { ListenerPort: "number", Path: "text", LocalPathPort: "number", Protocol: "text", ParsedFromCheck: "flag" },
    ],
  },
};

const REGISTRATION: Fields = {
  Kind: "text",
  ID: "text",
  Name: "text",
  Tags: "texts",
  Port: "number",
  Address: "text",
  TaggedAddresses: "any",
  EnableTagOverride: "flag",
  Meta: "textMap",
  Weights: { Passing: "number", Warning: "number" },
  Check: CHECK,
  Checks: [CHECK],
  Proxy: PROXY,
  Connect: { Native: "flag", SidecarService: () => REGISTRATION },
};

/** The whole configuration. Durations are nanoseconds, as Go reads them from JSON. */
export const CONFIGURATION = {
  Client: {
    Address: "text",
    Scheme: "text",
    Datacenter: "text",
    HttpAuth: { Username: "text", Password: "text" },
    WaitTime: "number",
    Token: "text",
    TokenFile: "text",
    TLSConfig: {
      Address: "text",
      CAFile: "text",
      CAPath: "text",
      CertFile: "text",
      KeyFile: "text",
      InsecureSkipVerify: "flag",
    },
  },
  Checks: [CHECK],
  Tags: "texts",
  Meta: "textMap",
  QueryOptions: {
    Namespace: "text",
    Partition: "text",
    Datacenter: "text",
    AllowStale: "flag",
    RequireConsistent: "flag",
    UseCache: "flag",
    MaxAge: "number",
    StaleIfError: "number",
    WaitIndex: "number",
    WaitHash: "text",
    WaitTime: "number",
    Token: "text",
    Near: "text",
    NodeMeta: "textMap",
    RelayFactor: "number",
    LocalOnly: "flag",
    Connect: "flag",
    Filter: "text",
  },
  AdvancedRegistration: REGISTRATION,
  DaprPortMetaKey: "text",
  SelfRegister: "flag",
  SelfDeregister: "flag",
  UseCache: "flag",
} as const satisfies Fields;

type Read<S> = S extends "text"
  ? string
  : S extends "flag"
    ? boolean
    : S extends "number"
      ? number
      : S extends "texts"
        ? readonly string[]
        : S extends "textMap"
          ? Readonly<Record<string, string>>
          : S extends readonly [unknown]
            ? readonly Readonly<Record<string, Json>>[]
            : S extends Leaf
              ? Json
              : { readonly [K in keyof S]?: Read<S[K]> };

/** The configuration as it was read: names as the agent has them. */
export type ConsulConfiguration = Read<Omit<typeof CONFIGURATION, "AdvancedRegistration">> & {
  readonly AdvancedRegistration?: Readonly<Record<string, Json>>;
};

/**
 * Brings a configuration into the agent's names, and refuses what does not fit, as Dapr's decoder does.
 *
 * @throws ComponentError naming the field
 */
export function readConfiguration(written: Json): ConsulConfiguration {
  return readShape(CONFIGURATION, written, "") as ConsulConfiguration;
}

function readShape(shape: Shape, value: Json, path: string): Json {
  if (typeof shape === "function") {
    return readShape(shape(), value, path);
  }
  if (typeof shape === "string") {
    return readLeaf(shape, value, path);
  }
  if (isListShape(shape)) {
    return Array.isArray(value)
      ? value.map((each: Json, index) => readShape(shape[0], each, `${path}[${index}]`))
      : refuse(path, "a list", value);
  }
  if (!isObject(value)) {
    return refuse(path, "a map of fields", value);
  }
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
  const read: Record<string, Json> = {};
  for (const [key, each] of Object.entries(value)) {
    const name = names.get(key.toLowerCase());
    const below = name === undefined ? undefined : shape[name];
    if (name === undefined || below === undefined) {
      throw invalid(path === "" ? key : `${path}.${key}`, `json: unknown field ${JSON.stringify(key)}`);
    }
    if (each !== null) {
      read[name] = readShape(below, each, path === "" ? key : `${path}.${key}`);
    }
  }
  return read;
}

function readLeaf(shape: Leaf, value: Json, path: string): Json {
  switch (shape) {
    case "text":
      return typeof value === "string" ? value : refuse(path, "text", value);
    case "flag":
      return typeof value === "boolean" ? value : refuse(path, "true or false", value);
    case "number":
      return Number.isSafeInteger(value) ? value : refuse(path, "a whole number", value);
    case "texts":
      return isTexts(value) ? value : refuse(path, "a list of texts", value);
    case "textMap":
      return isObject(value) && isTexts(Object.values(value)) ? value : refuse(path, "a map of texts", value);
    case "textsMap":
      return isObject(value) && Object.values(value).every(isTexts)
        ? value
        : refuse(path, "a map of lists of texts", value);
    case "any":
      return value;
  }
}

function isListShape(shape: Shape): shape is readonly [Fields] {
  return Array.isArray(shape);
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((each: Json) => typeof each === "string");
}

function refuse(path: string, wanted: string, value: Json): never {
  const shown = isObject(value) ? "a map" : Array.isArray(value) ? "a list" : JSON.stringify(value);
  throw invalid(path, `${path === "" ? "it" : path} must be ${wanted}, not ${shown}`);
}

function invalid(field: string, reason: string): ComponentError {
  return new ComponentError("invalidMetadata", `error deserializing to configSpec: ${reason}`, {
    facts: { component: "consul", field },
  });
}
