import type { HttpExchange } from "../../net/http/types.ts";

/** Values of the path's `:name` places, URL-decoded once. `*` holds the rest of the path. */
export type PathParams = Readonly<Record<string, string | undefined>>;

/**
 * Translates one exchange into a block's operation and its result into an answer. Throwing an ApiError answers it in
 * Dapr's body shapes; it must not throw once an answer has begun.
 */
export type RouteHandler = (exchange: HttpExchange, params: PathParams, query: string) => Promise<void> | void;

/** Group and version as `spec.api.allowed` and `denied` name them (`state`, `v1`). */
export interface RouteGroup {
  readonly name: string;
  readonly version: "v1" | "v1alpha1" | "v1alpha2" | "v1beta1";
}

/** One row of the door's table. `path` is find-my-way syntax with a leading slash. */
export interface Route {
  readonly methods: readonly string[];
  readonly path: string;
  readonly group: RouteGroup;
  /** The operation's name in API logs and traces (`SaveState`). */
  readonly name: string;
  /** Answered even without the API token, and on the public port. */
  readonly health?: boolean;
  readonly onPublicPort?: boolean;
  readonly handler: RouteHandler;
}
