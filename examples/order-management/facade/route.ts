import type { z } from "zod";
import type { Peers } from "./peers.ts";

/** An answer that is no error. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

/** A request whose path and body are as the route's schemas say. */
export interface RestRequest<Params, Body> {
  readonly params: Params;
  readonly body: Body;
  readonly peers: Peers;
}

/** One operation of the REST API: what Express and the OpenAPI document are both made from. */
export interface Route {
  readonly method: "get" | "post" | "delete";
  /** In the spelling of OpenAPI: `/orders/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** Whether it changes anything, and so needs the key. */
  readonly writes: boolean;
  /** A schema for each variable of the path. */
  readonly params: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** What is answered besides the errors. */
  readonly answers: Readonly<Record<number, readonly [description: string, schema: z.ZodType]>>;
  /** The statuses of its errors, besides those that every route has. */
  readonly errors: readonly (404 | 409)[];
  readonly handle: (request: RestRequest<unknown, unknown>) => Promise<Answer>;
}

type Outline = Omit<Route, "params" | "body" | "handle">;

/** A route whose handler gets what its schemas read. */
export function route<
  Params extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  outline: Outline & {
    readonly params?: Params;
    readonly body?: Body;
    readonly handle: (request: RestRequest<Read<Params>, Read<Body>>) => Promise<Answer>;
  },
): Route {
  const { params, body, handle } = outline;
  return {
    ...outline,
    params,
    body,
    handle: async (request) =>
      await handle({
        // Both have been read by these very schemas.
        params: request.params as Read<Params>,
        body: request.body as Read<Body>,
        peers: request.peers,
      }),
  };
}

type Read<Schema> = Schema extends z.ZodType ? z.infer<Schema> : undefined;
