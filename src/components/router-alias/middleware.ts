import { errorMessage } from "../../kit/error-message.ts";
import type { HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { decodedPath, splitTarget } from "../../net/http/request-target.ts";
import { parseRoutes } from "./parse-routes.ts";
import { compilePathTemplate, type PathTemplate } from "./path-template.ts";

/** Routes with places are looked at one after the other. */
const ROUTES_MAX = 10_000;

/** Makes the middleware; see the manifest. */
export function createRouterAlias(deps: ComponentDeps): HttpMiddleware {
  return new RouterAlias(deps);
}

interface Route {
  readonly template: PathTemplate;
  readonly path: string;
}

class RouterAlias implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  /** Routes without places: path → escaped path. */
  readonly #exact = new Map<string, string>();
  readonly #routes: Route[] = [];

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const routes = await this.#listed(metadata);
    if (routes.length > ROUTES_MAX) {
      throw new ComponentError(
        "invalidMetadata",
        `component ${this.#deps.name} has ${routes.length} routes, more than the limit of ${ROUTES_MAX}`,
      );
    }
    for (const [path, target] of routes) {
      this.#add(path, target);
    }
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    const target = this.#alias(request.target);
    return await next(target === undefined ? request : { ...request, target });
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  async #listed(metadata: ComponentMetadata): Promise<readonly (readonly [string, string])[]> {
    const entries = Object.entries(metadata);
    const routes = entries.find(([name]) => name.toLowerCase() === "routes")?.[1] ?? "";
    if (entries.length === 0) {
      return [];
    }
    if (entries.length === 1 && routes !== "") {
      return await parseRoutes(routes);
    }
    this.#deps.logger.warn(
      "Listing routes as key-value pairs is deprecated. Please use the 'routes' property instead. See: https://docs.dapr.io/reference/components-reference/supported-middleware/middleware-routeralias/",
    );
    if (entries.some(([path, target]) => path === "" || target === "")) {
      throw new ComponentError("invalidMetadata", "invalid key/value pair in metadata: must not be empty");
    }
    return entries;
  }

  /** What cannot be a path matches nothing, as in Dapr, which says nothing about it. */
  #add(path: string, target: string): void {
    const escaped = escapePath(target);
    try {
      if (!path.startsWith("/")) {
        throw new Error("a path begins with a slash");
      }
      if (/[{}]/.test(path)) {
        this.#routes.push({ template: compilePathTemplate(path), path: escaped });
      } else {
        this.#exact.set(path, escaped);
      }
    } catch (error) {
      this.#deps.logger.error(
        `component ${this.#deps.name}: the route ${JSON.stringify(path)} is left out: ${errorMessage(error)}`,
      );
    }
  }

  #alias(target: string): string | undefined {
    const path = decodedPath(target);
    const exact = this.#exact.get(path);
    const { query } = splitTarget(target);
    if (exact !== undefined) {
      return query === "" ? exact : `${exact}?${query}`;
    }
    for (const { template, path: to } of this.#routes) {
      const values = template.match(path);
      if (values !== undefined) {
        const all = new URLSearchParams(query);
        for (const [name, value] of values) {
          all.append(name, value);
        }
        all.sort();
        return `${to}?${all.toString()}`;
      }
    }
    return undefined;
  }
}

function escapePath(path: string): string {
  return encodeURI(path.toWellFormed()).replaceAll("?", "%3F").replaceAll("#", "%23");
}
