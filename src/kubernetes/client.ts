import { Cancellation, type CancelSignal } from "../kit/cancel-signal.ts";
import type { Clock } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import { createHttpClient } from "../net/http/client.ts";
import type { HttpClient, HttpResponse } from "../net/http/types.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { KubernetesError } from "./error.ts";
import {
  CONNECTIONS_MAX,
  OBJECT_BYTES_MAX,
  PAGE_BYTES_MAX,
  PAGE_OBJECTS_MAX,
  REQUEST_TIMEOUT_MS,
  TOKEN_AGE_MS_MAX,
  WATCH_TIMEOUT_S,
} from "./limits.ts";
import { type KubernetesObject, type ObjectList, type ResourceKind, resourcePath, type WatchEvent } from "./objects.ts";
import { jsonLines, wholeBody } from "./response-body.ts";
import { readSmallFile } from "./small-file.ts";

/** Which objects of a kind; without a namespace those of all. */
export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** One object by its name; the namespace is left out for kinds that have none. */
export interface ObjectName {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** How a patch is written (RFC 6902, RFC 7386, server-side apply). */
export type PatchKind = "json" | "merge" | "apply";

const PATCH_TYPES: Readonly<Record<PatchKind, string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  apply: "application/apply-patch+yaml",
};

export interface KubernetesClientOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  /** Names us in the API server's log, and as the owner of fields that we apply. */
  readonly userAgent: string;
}

/** A client of one API server; safe for concurrent use. What fails is a KubernetesError. */
export class KubernetesClient {
  readonly #access: ClusterAccess;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #http: HttpClient;
  #token: { readonly value: string; readonly readMs: number } | undefined;

  constructor({ access, clock, userAgent }: KubernetesClientOptions) {
    this.#access = access;
    this.#clock = clock;
    this.#userAgent = userAgent;
    this.#http = createHttpClient(access.server, {
      connectionsMax: CONNECTIONS_MAX,
      inlineBodyBytesMax: 0,
      rejectUnauthorized: !access.skipsVerification,
      ca: access.ca || undefined,
      cert: access.clientCertificate || undefined,
      key: access.clientKey || undefined,
      serverName: access.serverName,
    });
  }

  /** Of the pod, or of the kubeconfig's context. */
  get namespace(): string {
    return this.#access.namespace;
  }

  get<T extends KubernetesObject>(kind: ResourceKind, { namespace, name }: ObjectName): Promise<T> {
    return this.#send<T>("GET", resourcePath(kind, namespace, name));
  }

  /** All objects, page by page: a list may change between two of them, which `resourceVersion` tells a watch. */
  async *pages<T extends KubernetesObject>(
    kind: ResourceKind,
    selection: Selection = {},
  ): AsyncIterable<ObjectList<T>> {
    let next = "";
    do {
      const query = queryOf(selection, { limit: String(PAGE_OBJECTS_MAX), ...(next === "" ? {} : { continue: next }) });
      const page = await this.#send<ObjectList<T>>("GET", `${resourcePath(kind, selection.namespace)}?${query}`, {
        bytesMax: PAGE_BYTES_MAX,
      });
      yield page;
      next = page.metadata?.continue ?? "";
    } while (next !== "");
  }

  create<T extends KubernetesObject, R = T>(
    kind: ResourceKind,
    namespace: string | undefined,
    object: object,
  ): Promise<R> {
    return this.#send<R>("POST", resourcePath(kind, namespace), { body: object });
  }

  /** Replaces an object; with its `resourceVersion` only if it is still the one that was read (`isConflict`). */
  update<T extends KubernetesObject>(kind: ResourceKind, object: T): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#send<T>("PUT", resourcePath(kind, namespace, name), { body: object });
  }

  patch<T extends KubernetesObject>(
    kind: ResourceKind,
    { namespace, name }: ObjectName,
    how: PatchKind,
    patch: unknown,
  ): Promise<T> {
    const query = how === "apply" ? `?fieldManager=${encodeURIComponent(this.#userAgent)}&force=true` : "";
    return this.#send<T>("PATCH", `${resourcePath(kind, namespace, name)}${query}`, {
      body: patch,
      contentType: PATCH_TYPES[how],
    });
  }

  async delete(kind: ResourceKind, { namespace, name }: ObjectName): Promise<void> {
    await this.#send("DELETE", resourcePath(kind, namespace, name));
  }

  /**
   * What happens to objects after a resource version, until the server ends the watch, which it does every few minutes.
   * @throws KubernetesError, `isExpired` when the version is too old to be continued from
   */
  async *watch<T extends KubernetesObject>(
    kind: ResourceKind,
    selection: Selection,
    resourceVersion: string,
    signal: CancelSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const query = queryOf(selection, {
      watch: "true",
      allowWatchBookmarks: "true",
      timeoutSeconds: String(WATCH_TIMEOUT_S),
      ...(resourceVersion === "" ? {} : { resourceVersion }),
    });
    const path = `${resourcePath(kind, selection.namespace)}?${query}`;
    const response = await this.#request("GET", path, { signal });
    for await (const line of jsonLines(response, OBJECT_BYTES_MAX)) {
      const { type, object } = line as { readonly type?: unknown; readonly object?: unknown };
      if (type === "ERROR") {
        const { code = 500, reason = "", message = "the watch failed" } = (object ?? {}) as Status;
        throw new KubernetesError(code, reason, `watch of ${kind.plural}: ${message}`);
      }
      yield { type, object } as WatchEvent<T>;
    }
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #send<R>(method: string, path: string, options: SendOptions = {}): Promise<R> {
    const text = await this.#within(REQUEST_TIMEOUT_MS, async (signal) => {
      const response = await this.#request(method, path, { ...options, signal });
      return await wholeBody(response, options.bytesMax ?? OBJECT_BYTES_MAX);
    });
    try {
      return JSON.parse(text) as R;
    } catch (cause) {
      throw new KubernetesError(0, "", `${method} ${path}: the answer is no JSON`, cause);
    }
  }

  /** The body must be there by then too. */
  async #within<R>(timeoutMs: number, ask: (signal: CancelSignal) => Promise<R>): Promise<R> {
    const late = new Cancellation();
    const timer = this.#clock.after(timeoutMs, () => late.abort(new Error(`no whole answer within ${timeoutMs} ms`)));
    try {
      return await ask(late);
    } finally {
      timer.cancel();
    }
  }

  /** @throws KubernetesError for any status but 2xx */
  async #request(method: string, path: string, options: SendOptions): Promise<HttpResponse> {
    const { server, basePath } = this.#access;
    const body = options.body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(options.body));
    let response: HttpResponse;
    try {
      response = await this.#http.request({
        method,
        target: `${basePath}${path}`,
        headers: [
          "host",
          new URL(server).host,
          "accept",
          "application/json",
          "user-agent",
          this.#userAgent,
          ...(options.body === undefined ? [] : ["content-type", options.contentType ?? "application/json"]),
          ...(await this.#authorization()),
        ],
        body,
        headTimeoutMs: REQUEST_TIMEOUT_MS,
        signal: options.signal,
      });
    } catch (cause) {
      throw new KubernetesError(0, "", `Kubernetes API: ${errorMessage(cause)}`, cause);
    }
    if (response.status >= 200 && response.status < 300) {
      return response;
    }
    const status = await statusOf(response);
    throw new KubernetesError(
      response.status,
      status.reason ?? "",
      `${method} ${path.split("?", 1)[0]}: status ${response.status}${status.message === undefined ? "" : `: ${status.message}`}`,
    );
  }

  async #authorization(): Promise<readonly string[]> {
    const { token, tokenFile, basic } = this.#access;
    const value = tokenFile === "" ? token : await this.#freshToken(tokenFile);
    if (value !== "") {
      return ["authorization", `Bearer ${value}`];
    }
    return basic === undefined
      ? []
      : ["authorization", `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`];
  }

  async #freshToken(file: string): Promise<string> {
    const now = this.#clock.monotonicMs();
    if (this.#token === undefined || now - this.#token.readMs > TOKEN_AGE_MS_MAX) {
      this.#token = { value: (await readSmallFile(file)).trim(), readMs: now };
    }
    return this.#token.value;
  }
}

interface SendOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly bytesMax?: number;
  readonly signal?: CancelSignal;
}

/** What the API server says of a failure (meta/v1 Status). */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

async function statusOf(response: HttpResponse): Promise<Status> {
  try {
    const value = JSON.parse(await wholeBody(response, OBJECT_BYTES_MAX)) as Status | null;
    return value ?? {};
  } catch {
    return {};
  }
}

function queryOf(selection: Selection, more: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(more);
  if (selection.labelSelector !== undefined) {
    query.set("labelSelector", selection.labelSelector);
  }
  if (selection.fieldSelector !== undefined) {
    query.set("fieldSelector", selection.fieldSelector);
  }
  return query.toString();
}
