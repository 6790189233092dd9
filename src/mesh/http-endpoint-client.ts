import { headerValue } from "../app/header-rules.ts";
import { requestHeadersOf } from "../app/http-headers.ts";
import {
  addDeclaredLength,
  checkVerb,
  type HttpCallObserver,
  HttpRequester,
  replyOfResponse,
} from "../app/http-requester.ts";
import { methodTarget } from "../app/method-target.ts";
import type { InvokeCall, InvokeReply } from "../app/types.ts";
import type { HttpEndpoint } from "../inventory/http-endpoint.ts";
import type { Clock } from "../kit/clock.ts";
import { goQuote } from "../kit/go-quote.ts";
import type { HttpClient, HttpResponse } from "../net/http/types.ts";

/** Makes a pooled client of an origin (`https://host:port`). */
export type ConnectOrigin = (origin: string, tls: HttpEndpoint["tls"]) => Promise<HttpClient>;

export interface HttpEndpointPorts {
  readonly connect: ConnectOrigin;
  readonly clock: Clock;
  readonly observer?: HttpCallObserver | undefined;
}

/** What Go's client takes from the connection and the body instead of the headers it is given. */
const NEVER_CONFIGURED: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding", "trailer"]);

interface Connected {
  readonly client: HttpClient;
  readonly requester: HttpRequester;
}

/** Calls of one HTTP server outside, over one pool of connections that is made with the first of them. */
export class HttpEndpointClient {
  readonly #endpoint: HttpEndpoint;
  readonly #url: URL;
  /** Path of the base URL without its last slash. */
  readonly #basePath: string;
  readonly #headers: ReadonlyMap<string, string>;
  /** The Basic credentials of a base URL with user and password, for calls that bring no others. */
  readonly #userInfo: string | undefined;
  readonly #ports: HttpEndpointPorts;
  #connected: Promise<Connected> | undefined;

  /** @throws Error for a base URL that is none, or not of HTTP */
  constructor(endpoint: HttpEndpoint, ports: HttpEndpointPorts) {
    this.#endpoint = endpoint;
    this.#url = httpUrl(endpoint.baseUrl);
    this.#basePath = this.#url.pathname.replace(/\/$/, "");
    this.#headers = configuredHeaders(endpoint);
    this.#userInfo = userInfoOf(this.#url);
    this.#ports = ports;
  }

  /** Passes the call on with the endpoint's own headers set in place of the caller's. @throws AppUnreachableError when no answer came */
  async invoke(call: InvokeCall): Promise<InvokeReply> {
    checkVerb(call);
    const { requester } = await this.#connect();
    return replyOfResponse(await this.#send(requester, call));
  }

  async close(): Promise<void> {
    const connected = await this.#connected?.catch(() => undefined);
    await connected?.client.close();
  }

  #send(requester: HttpRequester, call: InvokeCall): Promise<HttpResponse> {
    const headers = this.#headersOf(call);
    addDeclaredLength(headers, call);
    const { verb, body, signal } = call;
    return requester.request({ method: verb, target: this.#targetOf(call), headers, body, signal }, call.method);
  }

  #headersOf(call: InvokeCall): string[] {
    const own = this.#headers;
    const headers = requestHeadersOf(call, "");
    let merged = headers;
    if (own.size > 0) {
      merged = [];
      for (let index = 0; index + 1 < headers.length; index += 2) {
        if (!own.has(headers[index] as string)) {
          merged.push(headers[index] as string, headers[index + 1] as string);
        }
      }
      for (const [name, value] of own) {
        merged.push(name, value);
      }
    }
    if (this.#userInfo !== undefined && headerValue(merged, "authorization") === undefined) {
      merged.push("authorization", this.#userInfo);
    }
    return merged;
  }

  #targetOf({ method, query }: InvokeCall): string {
    if (method === "" && this.#basePath !== "") {
      return query === "" ? this.#basePath : `${this.#basePath}?${query}`;
    }
    return this.#basePath + methodTarget(method, query);
  }

  #connect(): Promise<Connected> {
    this.#connected ??= this.#open();
    return this.#connected;
  }

  async #open(): Promise<Connected> {
    const { connect, clock, observer } = this.#ports;
    const client = await connect(this.#url.origin, this.#endpoint.tls);
    return { client, requester: new HttpRequester(client, this.#url.origin, clock, observer) };
  }
}

/** @throws Error for a base URL that is none, or not of HTTP */
export function httpUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.host === "") {
    throw new Error(`parse ${goQuote(text)}: not an http or https URL`);
  }
  return url;
}

function configuredHeaders({ headers }: HttpEndpoint): ReadonlyMap<string, string> {
  const own = new Map<string, string>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    if (!NEVER_CONFIGURED.has(lower)) {
      own.set(lower, value);
    }
  }
  return own;
}

function userInfoOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") {
    return undefined;
  }
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}
