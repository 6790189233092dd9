import { z } from "zod";
import { API_KEY_HEADER } from "../model/names.ts";
import { PeerError } from "../sdk/peer-error.ts";
import { ApiError } from "./api-error.ts";
import type { ApiKey } from "./api-key.ts";
import { openApiOf } from "./openapi.ts";
import type { Peers } from "./peers.ts";
import type { Answer, Route } from "./route.ts";

/** The part of Express that the façade uses; the SDK brings Express without its types. */
export interface Express {
  get(path: string, handle: Handler): void;
  post(path: string, handle: Handler): void;
  delete(path: string, handle: Handler): void;
  use(handle: Handler | ErrorHandler): void;
}
type Handler = (request: ExpressRequest, response: ExpressResponse) => void;
/** Express tells it apart by its four parameters. */
type ErrorHandler = (error: unknown, request: ExpressRequest, response: ExpressResponse, next: unknown) => void;

interface ExpressRequest {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

interface ExpressResponse {
  status(code: number): ExpressResponse;
  json(body: object): void;
}

export interface RestServerOptions {
  readonly routes: readonly Route[];
  readonly peers: Peers;
  readonly apiKey: Pick<ApiKey, "isRight">;
}

/** Puts the routes and their OpenAPI document into an Express application; whatever else is asked for is a 404. */
export function serveRest(express: Express, { routes, peers, apiKey }: RestServerOptions): void {
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
    express[route.method](path, (request, response) => {
      void respond(response, async () => await answered(route, request, { peers, apiKey }));
    });
  }
  const document = openApiOf(routes);
  express.get("/openapi.json", (_request, response) => response.status(200).json(document));
  express.use(notFound);
  express.use(unreadable);
}

const notFound: Handler = ({ method, path }, response) => {
  const { status, body } = new ApiError("route-not-found", `there is no ${method} ${path}: see GET /openapi.json`);
  response.status(status).json(body);
};

/** Only the SDK's body parsers come before the handlers, and those answer their own failures. */
const unreadable: ErrorHandler = (error, _request, response, _next) => {
  const why = error instanceof Error ? error.message : String(error);
  const { status, body } = new ApiError("invalid-request", `the body cannot be read: ${why}`);
  response.status(status).json(body);
};

async function answered(
  { writes, params, body, handle }: Route,
  request: ExpressRequest,
  { peers, apiKey }: Omit<RestServerOptions, "routes">,
): Promise<Answer> {
  if (writes) await requireKey(apiKey, request.headers[API_KEY_HEADER]);
  const input = {
    params: params && read(params, request.params, "path"),
    body: body && read(body, request.body, "body"),
    peers,
  };
  try {
    return await handle(input);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    throw new ApiError("unavailable", `${error.message}; try again, nothing is done twice`, { cause: error });
  }
}

async function requireKey(apiKey: Pick<ApiKey, "isRight">, key: string | string[] | undefined): Promise<void> {
  if (typeof key !== "string") {
    throw new ApiError("unauthorized", `send the façade's key in the header ${API_KEY_HEADER}`);
  }
  let isRight: boolean;
  try {
    isRight = await apiKey.isRight(key);
  } catch (error) {
    throw new ApiError("unavailable", "the façade's key cannot be read from the secret store: try again", {
      cause: error,
    });
  }
  if (!isRight) throw new ApiError("unauthorized", `the key in the header ${API_KEY_HEADER} is not the façade's`);
}

function read(schema: z.ZodType, value: unknown, what: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ApiError("invalid-request", `the ${what} is not as it should be: ${z.prettifyError(result.error)}`);
}

async function respond(response: ExpressResponse, answer: () => Promise<Answer>): Promise<void> {
  try {
    const { status, body } = await answer();
    response.status(status).json(body);
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError("internal", "a fault of the façade: see its log");
    if (known.code === "internal") console.error("a request failed:", error);
    else if (known.code === "unavailable") console.error(`could not answer: ${known.message}`);
    response.status(known.status).json(known.body);
  }
}
