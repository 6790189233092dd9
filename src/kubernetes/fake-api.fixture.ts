import { type Listener, listen } from "../net/http/listener.ts";
import type { BodyWriter, HttpExchange } from "../net/http/types.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import type { KubernetesObject } from "./objects.ts";

type Stored = KubernetesObject & Readonly<Record<string, unknown>>;

interface Watcher {
  readonly collection: string;
  readonly writer: BodyWriter;
}

/** One request as the API server got it. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
}

/**
 * An API server as its wire shows it: objects with resource versions, pages, watches that resume from a version, conflicts,
 * and versions that have been forgotten (Kubernetes API concepts, "Efficient detection of changes").
 */
export class FakeApi {
  readonly seen: SeenRequest[] = [];
  /** Answers before anything else does; undefined passes on. */
  intercept: ((exchange: HttpExchange, body: string) => boolean) | undefined;
  /** Answers a TokenReview by its token. */
  review: (token: string, audiences: readonly string[]) => object = () => ({ authenticated: false });
  readonly #objects = new Map<string, Stored>();
  readonly #history: { readonly version: number; readonly collection: string; readonly line: string }[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 100;
  #forgotten = 0;
  #listener: Listener | undefined;

  static async start(): Promise<FakeApi> {
    const api = new FakeApi();
    api.#listener = await listen(
      { host: "127.0.0.1", port: 0 },
      {
        http: (exchange) =>
          void api.#serve(exchange).catch((error: unknown) => {
            exchange.respond(500, [], JSON.stringify({ message: String(error) }));
          }),
      },
    );
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener?.port ?? 0}`;
  }

  access(facts: Partial<ClusterAccess> = {}): ClusterAccess {
    return {
      server: this.url,
      basePath: "",
      ca: "",
      serverName: undefined,
      skipsVerification: false,
      clientCertificate: "",
      clientKey: "",
      token: "secret-token",
      tokenFile: "",
      basic: undefined,
      namespace: "default",
      ...facts,
    };
  }

  /** Watches that are open now. */
  get watchers(): number {
    return this.#watchers.size;
  }

  /** @param path of the object: `/api/v1/namespaces/a/pods/b` */
  put(path: string, object: object = {}): Stored {
    const [namespace, name] = namesOf(path);
    const before = this.#objects.get(path);
    const version = String(++this.#version);
    const metadata = { ...(object as Partial<Stored>).metadata, namespace, name, resourceVersion: version };
    const stored = { ...object, metadata } as Stored;
    this.#objects.set(path, stored);
    this.#tell(path, before === undefined ? "ADDED" : "MODIFIED", stored);
    return stored;
  }

  remove(path: string): void {
    const stored = this.#objects.get(path);
    if (stored !== undefined) {
      this.#objects.delete(path);
      const metadata = { ...stored.metadata, resourceVersion: String(++this.#version) };
      this.#tell(path, "DELETED", { ...stored, metadata });
    }
  }

  read(path: string): Stored | undefined {
    return this.#objects.get(path);
  }

  /** Ends all watches; with `forget` they cannot be resumed. */
  endWatches(forget = false): void {
    if (forget) {
      this.#forgotten = this.#version;
    }
    for (const { writer } of this.#watchers) {
      writer.end();
    }
    this.#watchers.clear();
  }

  async stop(): Promise<void> {
    this.endWatches();
    await this.#listener?.close(0);
  }

  async #serve(exchange: HttpExchange): Promise<void> {
    const { method, target } = exchange;
    const body = Buffer.from(await exchange.readBody(0)).toString("utf8");
    this.seen.push({
      method,
      target,
      authorization: exchange.header("authorization"),
      contentType: exchange.header("content-type"),
    });
    if (this.intercept?.(exchange, body) === true) {
      return;
    }
    const [path = "", search = ""] = target.split("?");
    const query = new URLSearchParams(search);
    if (path.endsWith("/tokenreviews")) {
      const { spec } = JSON.parse(body) as { spec: { token: string; audiences: string[] } };
      json(exchange, 201, { status: this.review(spec.token, spec.audiences) });
    } else if (query.get("watch") === "true") {
      this.#watch(exchange, path, Number(query.get("resourceVersion") ?? "0"));
    } else if (method === "GET" && this.#objects.has(path)) {
      json(exchange, 200, this.#objects.get(path));
    } else if (method === "GET" && !isObject(path)) {
      this.#list(exchange, path, query);
    } else {
      this.#write(exchange, path, body);
    }
  }

  #list(exchange: HttpExchange, path: string, query: URLSearchParams): void {
    const all = [...this.#objects].filter(([at]) => isIn(at, path)).map(([, object]) => object);
    const from = Number(query.get("continue") ?? "0");
    const limit = Number(query.get("limit") ?? String(all.length));
    const next = from + limit < all.length ? String(from + limit) : undefined;
    json(exchange, 200, {
      metadata: { resourceVersion: String(this.#version), continue: next },
      items: all.slice(from, from + limit),
    });
  }

  #watch(exchange: HttpExchange, path: string, since: number): void {
    if (since < this.#forgotten) {
      json(exchange, 200, { type: "ERROR", object: { code: 410, reason: "Expired", message: "too old" } });
      return;
    }
    const writer = exchange.startResponse(200, ["content-type", "application/json"]);
    const watcher = { collection: path, writer };
    this.#watchers.add(watcher);
    exchange.onAbort(() => this.#watchers.delete(watcher));
    for (const { version, collection, line } of this.#history) {
      if (version > since && isIn(collection, path)) {
        void writer.write(Buffer.from(line));
      }
    }
  }

  #write(exchange: HttpExchange, path: string, body: string): void {
    const before = this.#objects.get(path);
    const given = (body === "" ? {} : JSON.parse(body)) as Stored;
    if (exchange.method === "POST") {
      json(exchange, 201, this.put(`${path}/${given.metadata.name}`, given));
    } else if (before === undefined) {
      json(exchange, 404, { reason: "NotFound", message: `${path} not found`, code: 404 });
    } else if (exchange.method === "DELETE") {
      this.remove(path);
      json(exchange, 200, {});
    } else if (exchange.method === "PATCH") {
      json(exchange, 200, this.put(path, { ...before, ...given, metadata: before.metadata }));
    } else if (
      given.metadata.resourceVersion !== undefined &&
      given.metadata.resourceVersion !== before.metadata.resourceVersion
    ) {
      json(exchange, 409, { reason: "Conflict", message: "the object has been modified", code: 409 });
    } else {
      json(exchange, 200, this.put(path, given));
    }
  }

  #tell(path: string, type: string, object: Stored): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#history.push({ version: this.#version, collection: path, line });
    for (const { collection, writer } of this.#watchers) {
      if (isIn(path, collection)) {
        void writer.write(Buffer.from(line));
      }
    }
  }
}

/** `…/namespaces/a/pods/b` is in `…/namespaces/a/pods` and in `…/pods`. */
function isIn(object: string, collection: string): boolean {
  const parts = object.split("/");
  return parts.slice(0, -1).join("/") === collection || [...parts.slice(0, -4), parts.at(-2)].join("/") === collection;
}

function isObject(path: string): boolean {
  return /\/namespaces\/[^/]+\/[^/]+\/[^/]+$/.test(path);
}

function namesOf(path: string): readonly [namespace: string, name: string] {
  const parts = path.split("/");
  return [parts.at(-3) ?? "", parts.at(-1) ?? ""];
}

function json(exchange: HttpExchange, status: number, value: unknown): void {
  exchange.respond(status, ["content-type", "application/json"], `${JSON.stringify(value)}\n`);
}
