import { STATUS_CODES } from "node:http";
import { createHttpClient, type HttpClientOptions } from "../../net/http/client.ts";
import type { HeaderList, HttpClient, HttpResponse } from "../../net/http/types.ts";
import { BindingFailure } from "../spi/binding-failure.ts";
import type { BindingRequest, BindingResponse, OutputBinding } from "../spi/bindings.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { type DecodedMetadata, decodeMetadata } from "../spi/metadata.ts";
import { httpBindingFields } from "./manifest.ts";
import { readPem } from "./pem.ts";
import { REDIRECTS_MAX, redirectOf } from "./redirect.ts";
import { errorIfNot2xx, HTTP_OPERATIONS, type OutgoingRequest, outgoingRequest } from "./request.ts";
import { readUpTo } from "./response-body.ts";

const CONNECT_TIMEOUT_MS = 15_000;
const RENEGOTIATIONS = ["RenegotiateNever", "RenegotiateOnceAsClient", "RenegotiateFreelyAsClient"];

export function createHttpBinding(deps: ComponentDeps): OutputBinding {
  return new HttpBinding(deps);
}

type Options = DecodedMetadata<typeof httpBindingFields>;

class HttpBinding implements OutputBinding {
  readonly operations = HTTP_OPERATIONS;
  readonly #deps: ComponentDeps;
  #options: Options | undefined;
  #client: HttpClient | undefined;
  #origin = "";
  #clientOptions: HttpClientOptions = {};

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name: component, logger } = this.#deps;
    const options = decodeMetadata(httpBindingFields, metadata, { component, logger });
    const renegotiation = options.MTLSRenegotiation;
    if (renegotiation !== undefined && !RENEGOTIATIONS.includes(renegotiation)) {
      throw new ComponentError("invalidMetadata", `invalid renegotiation value: ${renegotiation}`, {
        facts: { component, field: "MTLSRenegotiation" },
      });
    }
    this.#clientOptions = { connectTimeoutMs: CONNECT_TIMEOUT_MS, ...(await tlsOptions(options)) };
    this.#origin = originOf(options.url, component);
    this.#client = createHttpClient(this.#origin, this.#clientOptions);
    this.#options = options;
  }

  async invoke(request: BindingRequest, signal?: AbortSignal): Promise<BindingResponse> {
    const options = this.#options;
    if (options === undefined || this.#client === undefined) {
      throw new ComponentError("unavailable", "binding is closed");
    }
    const { securityToken, securityTokenHeader } = options;
    const token =
      securityToken === undefined || securityTokenHeader === undefined
        ? undefined
        : { header: securityTokenHeader, value: securityToken };
    const outgoing = outgoingRequest(options.url, request, token);
    if (outgoing.url.origin !== this.#origin) {
      throw new ComponentError(
        "invalidRequest",
        `the path leads to another server than ${this.#origin}: ${outgoing.url.href}`,
      );
    }
    const response = await this.#exchange(outgoing, options, signal);
    const failed = errorIfNot2xx(request, options.errorIfNot2XX) && Math.trunc(response.status / 100) !== 2;
    const answer: BindingResponse = {
      data: response.body,
      metadata: responseMetadata(response),
      contentType: undefined,
    };
    if (failed) {
      throw new BindingFailure("unavailable", `received status code ${response.status}`, answer);
    }
    return answer;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#options = undefined;
    await client?.close();
  }

  async #exchange(
    outgoing: OutgoingRequest,
    options: Options,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse & { readonly body: Uint8Array }> {
    const { method, url } = outgoing;
    const limit = new AbortController();
    const timeoutMs = options.responseTimeout ?? 0;
    const timer =
      timeoutMs > 0
        ? this.#deps.clock.after(timeoutMs, () => limit.abort(new Error("context deadline exceeded")))
        : undefined;
    const stop = signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
    try {
      return await this.#follow(outgoing, options, stop);
    } catch (cause) {
      const reason = limit.signal.aborted
        ? "context deadline exceeded"
        : cause instanceof Error
          ? cause.message
          : String(cause);
      const verb = method.charAt(0) + method.slice(1).toLowerCase();
      throw new ComponentError(
        limit.signal.aborted ? "timeout" : "unavailable",
        `${verb} "${shownUrl(url)}": ${reason}`,
        {
          cause,
        },
      );
    } finally {
      timer?.cancel();
    }
  }

  async #follow(
    first: OutgoingRequest,
    options: Options,
    signal: AbortSignal,
  ): Promise<HttpResponse & { readonly body: Uint8Array }> {
    let outgoing = first;
    for (let sent = 1; ; sent += 1) {
      const response = await this.#send(outgoing, options, signal);
      const next = redirectOf(outgoing, response, options.securityTokenHeader?.toLowerCase());
      if (next === undefined) {
        return response;
      }
      if (sent === REDIRECTS_MAX) {
        throw new Error(`stopped after ${REDIRECTS_MAX} redirects`);
      }
      outgoing = next;
    }
  }

  /** Servers that a redirect leads to get a connection for that one request. */
  async #send(
    { method, url, headers, body }: OutgoingRequest,
    options: Options,
    signal: AbortSignal,
  ): Promise<HttpResponse & { readonly body: Uint8Array }> {
    const own = url.origin === this.#origin ? this.#client : undefined;
    const client = own ?? createHttpClient(url.origin, this.#clientOptions);
    try {
      const response = await client.request({ method, target: url.pathname + url.search, headers, body, signal });
      return { ...response, body: await readUpTo(response.body, options.maxResponseBodySize) };
    } finally {
      if (own === undefined) {
        await client.close();
      }
    }
  }
}

async function tlsOptions(options: Options): Promise<HttpClientOptions> {
  const { MTLSRootCA: rootCa, MTLSClientCert: clientCert, MTLSClientKey: clientKey } = options;
  const ca = rootCa === undefined ? undefined : await readPem("MTLSRootCA", rootCa);
  if (clientCert === undefined || clientKey === undefined) {
    return { ca };
  }
  return { ca, cert: await readPem("MTLSClientCert", clientCert), key: await readPem("MTLSClientKey", clientKey) };
}

function originOf(url: string, component: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) {
    throw new ComponentError(
      "invalidMetadata",
      `metadata field "url" of component ${component} must be an http or https URL, not ${JSON.stringify(url)}`,
      {
        facts: { component, field: "url" },
      },
    );
  }
  return parsed.origin;
}

/** `statusCode`, `status`, and every header under its name as Go writes it, several values joined. */
function responseMetadata({
  status,
  headers,
}: {
  readonly status: number;
  readonly headers: HeaderList;
}): Readonly<Record<string, string>> {
  const metadata = new Map([
    ["statusCode", String(status)],
    ["status", `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd()],
  ]);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = canonicalName(headers[index] as string);
    const before = metadata.get(name);
    const value = headers[index + 1] as string;
    metadata.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(metadata);
}

function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

/** As Go's client puts it into errors: without a password. */
function shownUrl(url: URL): string {
  return url.password === "" ? url.href : url.href.replace(`:${url.password}@`, ":***@");
}
