/** `OTEL_RESOURCE_ATTRIBUTES` cannot be read. */
export class ParseResourceError extends Error {
  override readonly name = "ParseResourceError";
}

/** A setting of tracing that cannot be used; the text names it. */
export class TracingSettingsError extends Error {
  override readonly name = "TracingSettingsError";
}

/** How spans get to a collector that speaks OTLP. */
export interface OtlpSettings {
  /** `host:port`, with an optional path for HTTP; without a scheme. */
  readonly endpoint: string;
  readonly protocol: "grpc" | "http";
  readonly isSecure: boolean;
  readonly headers: readonly (readonly [string, string])[];
  /** Milliseconds; undefined: ten seconds. */
  readonly timeoutMs: number | undefined;
  /** Of PEM files: whom to trust in place of the system's authorities, and our own certificate; empty: none. */
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** `spec.tracing` of a Configuration with what the environment adds to it. */
export interface TracingSettings {
  /** As written: "" and what is no number are Dapr's default of one in ten thousand, "0" turns tracing off. */
  readonly samplingRate: string;
  readonly stdout: boolean;
  /** URL of Zipkin's collector; empty: none. */
  readonly zipkinEndpoint: string;
  readonly otlp: OtlpSettings | undefined;
}

/** What a Configuration says; `headers` are `name=value`, and an address is empty where there is no export to it. */
export interface WrittenTracing {
  readonly samplingRate: string;
  readonly stdout: boolean;
  readonly zipkinEndpoint: string;
  readonly otel: {
    readonly endpointAddress: string;
    readonly protocol: string;
    readonly isSecure: boolean;
    readonly headers: readonly string[];
    readonly timeoutMs: number | undefined;
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a role without a Configuration starts from. */
export const NOTHING_WRITTEN: WrittenTracing = {
  samplingRate: "",
  stdout: false,
  zipkinEndpoint: "",
  otel: { endpointAddress: "", protocol: "", isSecure: true, headers: [], timeoutMs: undefined },
};

/**
 * Puts Configuration and environment together as Dapr and its OpenTelemetry library do: what the Configuration says comes
 * before `OTEL_EXPORTER_OTLP_*`, and the `TRACES_` form of a variable before the general one.
 *
 * @throws TracingSettingsError for a protocol that is neither grpc nor http, headers or a timeout that cannot be read
 */
export function tracingSettings(written: WrittenTracing, environment: Environment): TracingSettings {
  const { stdout, zipkinEndpoint, otel } = written;
  const variable = (name: string): string =>
    environment[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || environment[`OTEL_EXPORTER_OTLP_${name}`] || "";
  const headers = otel.headers.length > 0 ? otel.headers : headersOf(variable("HEADERS"));
  const timeoutMs = otel.timeoutMs ?? timeoutOf(variable("TIMEOUT"));
  const files = {
    ca: variable("CERTIFICATE"),
    cert: variable("CLIENT_CERTIFICATE"),
    key: variable("CLIENT_KEY"),
  };
  const { samplingRate } = written;
  if (otel.endpointAddress !== "") {
    return { samplingRate, stdout, zipkinEndpoint, otlp: otlpOf({ ...otel, headers, timeoutMs }, files) };
  }
  const endpointAddress = variable("ENDPOINT");
  if (endpointAddress === "") {
    return { samplingRate, stdout, zipkinEndpoint, otlp: undefined };
  }
  const isPlain = environment["OTEL_EXPORTER_OTLP_INSECURE"] === "true" || endpointAddress.startsWith("http://");
  const protocol = variable("PROTOCOL").startsWith("http") ? "http" : "grpc";
  const otlp = otlpOf({ endpointAddress, protocol, isSecure: !isPlain && otel.isSecure, headers, timeoutMs }, files);
  return { samplingRate: samplingRate === "" ? "1" : samplingRate, stdout, zipkinEndpoint, otlp };
}

/** An endpoint without a protocol is not used, as in Dapr. */
function otlpOf(otel: WrittenTracing["otel"], files: OtlpSettings["files"]): OtlpSettings | undefined {
  const { protocol, endpointAddress, isSecure, timeoutMs } = otel;
  if (protocol === "") {
    return undefined;
  }
  if (protocol !== "grpc" && protocol !== "http") {
    throw new TracingSettingsError(`invalid protocol ${protocol} provided for Otel endpoint`);
  }
  const headers: [string, string][] = [];
  for (const header of otel.headers) {
    const at = header.indexOf("=");
    if (at !== -1) {
      headers.push([header.slice(0, at).toLowerCase(), header.slice(at + 1)]);
    }
  }
  return { endpoint: endpointAddress.replace(/^https?:\/\//, ""), protocol, isSecure, headers, timeoutMs, files };
}

const HEADER_NAME = /^[0-9A-Za-z!#$%&'*+\-.^_`|~]+$/;

/** `OTEL_EXPORTER_OTLP_HEADERS` is a list like a `baggage` header: `name=value,name=value`, values percent-encoded. */
function headersOf(list: string): string[] {
  const headers: string[] = [];
  for (const pair of list.split(",")) {
    if (pair.trim() === "") {
      continue;
    }
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0)).trim();
    if (!HEADER_NAME.test(name)) {
      throw new TracingSettingsError(`OTEL_EXPORTER_OTLP_HEADERS: "${pair}" is no name=value`);
    }
    headers.push(`${name}=${unescaped(pair.slice(at + 1).trim())}`);
  }
  return headers;
}

function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new TracingSettingsError(`OTEL_EXPORTER_OTLP_HEADERS: "${value}" is not percent-encoded`, { cause });
  }
}

function timeoutOf(text: string): number | undefined {
  if (text === "") {
    return undefined;
  }
  if (!/^[+-]?\d+$/.test(text)) {
    throw new TracingSettingsError(`OTEL_EXPORTER_OTLP_TIMEOUT: "${text}" is no number of milliseconds`);
  }
  const ms = Number(text);
  return ms > 0 ? ms : undefined;
}
