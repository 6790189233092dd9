import type {
  HttpMiddleware,
  MiddlewareNext,
  MiddlewarePipeline,
  MiddlewareRequest,
} from "../components/spi/middleware.ts";
import type { ComponentView, Loaded } from "../inventory/types.ts";
import type { Logger } from "../kit/logger.ts";
import type { HttpResponse } from "../net/http/types.ts";
import type { Configuration } from "../resources/configuration.ts";

/** The pipelines of one sidecar; undefined where the Configuration lists no handlers, so that requests pay nothing. */
export interface Pipelines {
  /** Around the HTTP API. */
  readonly server: MiddlewarePipeline | undefined;
  /** Around every call of an HTTP app but health probes, and of HTTP endpoints. */
  readonly app: MiddlewarePipeline | undefined;
  /** Takes the middlewares that are loaded now. It also happens by itself whenever one comes, goes or is replaced. */
  rebuild(): void;
}

type Handlers = Configuration["httpPipeline"];

/** Middlewares are matched to handlers by name, type and version; one that is not loaded is left out until it is. */
export function createPipelines(
  { httpPipeline, appHttpPipeline }: Pick<Configuration, "httpPipeline" | "appHttpPipeline">,
  middlewares: ComponentView<HttpMiddleware>,
  logger: Logger,
): Pipelines {
  const log = logger.scope("dapr.middleware.http");
  const open = (name: string, handlers: Handlers): LivePipeline | undefined =>
    handlers.length === 0 ? undefined : new LivePipeline(name, handlers, middlewares, log);
  const app = open("app", appHttpPipeline);
  const server = open("server", httpPipeline);
  const rebuild = (): void => {
    app?.rebuild();
    server?.rebuild();
  };
  const known = new Map<string, string>();
  middlewares.watch((name, loaded) => {
    if (loaded === undefined) {
      log.info(`Removing ${known.get(name) ?? ""} ${name} middleware`);
      known.delete(name);
    } else {
      const type = `${loaded.manifest.type}/${loaded.version}`;
      log.info(`Adding ${type} ${name} middleware`);
      known.set(name, type);
    }
    rebuild();
  });
  rebuild();
  return { server, app, rebuild };
}

/** Requests end on the handlers they began with. */
class LivePipeline implements MiddlewarePipeline {
  readonly #name: string;
  readonly #wanted: Handlers;
  readonly #middlewares: ComponentView<HttpMiddleware>;
  readonly #logger: Logger;
  #handlers: readonly HttpMiddleware[] = [];

  constructor(name: string, wanted: Handlers, middlewares: ComponentView<HttpMiddleware>, logger: Logger) {
    this.#name = name;
    this.#wanted = wanted;
    this.#middlewares = middlewares;
    this.#logger = logger;
  }

  run(request: MiddlewareRequest, root: MiddlewareNext): Promise<HttpResponse> {
    return pass(this.#handlers, 0, request, root);
  }

  rebuild(): void {
    this.#logger.info(`Building pipeline ${this.#name}`);
    this.#handlers = this.#wanted.flatMap((handler) => {
      const loaded = this.#middlewares.get(handler.name);
      return loaded !== undefined && isMeant(loaded, handler) ? [loaded.component] : [];
    });
  }
}

function pass(
  handlers: readonly HttpMiddleware[],
  index: number,
  request: MiddlewareRequest,
  root: MiddlewareNext,
): Promise<HttpResponse> {
  const handler = handlers[index];
  return handler === undefined
    ? root(request)
    : handler.handle(request, (passed) => pass(handlers, index + 1, passed, root));
}

function isMeant({ manifest, version }: Loaded<HttpMiddleware>, handler: Handlers[number]): boolean {
  return manifest.type === handler.type.toLowerCase() && version === (handler.version === "" ? "v1" : handler.version);
}
