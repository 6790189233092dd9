import { callerSignal } from "./caller-signal.ts";
import { responseHeadersOf } from "../../app/http-headers.ts";
import { CALLER_HEADERS } from "../../app/header-rules.ts";
import type { ActorRef } from "../../app/actor-host.ts";
import { ActorNameError, checkActorName } from "../../blocks/actors/actor-name.ts";
import { type ActorsBlock, checkReserved as checkNotReserved } from "../../blocks/actors/actors-block.ts";
import { canonicalMethod, InvalidMethodError } from "../../blocks/invocation/method-path.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import { httpStatusOfGrpc } from "../../errors/http-status-of-grpc.ts";
import type { HeaderList, HttpExchange } from "../../net/http/types.ts";
import { decodeActorOperations, decodeTick } from "./actor-messages.ts";
import { JsonBodyError } from "./json-decoder.ts";
import { respondEmpty, respondJson } from "./reply.ts";
import type { PathParams, Route, RouteGroup, RouteHandler } from "./route.ts";

/** Loaded with the first reminder. */
type ReminderMessages = typeof import("./reminder-messages.ts");

const GROUP: RouteGroup = { name: "actors", version: "v1" };
const WRITE_METHODS = ["POST", "PUT"];
const PATH = "/v1.0/actors/:type/:id";

export interface ActorsRoutesOptions {
  /** Bytes of a request body; 0: no limit. */
  readonly maxBodyBytes: number;
}

/** Rows 16 to 23 of the HTTP API: state, calls, reminders and timers of actors. */
export function actorsRoutes(actors: ActorsBlock, { maxBodyBytes }: ActorsRoutesOptions): Route[] {
  const route = (methods: readonly string[], path: string, name: string, handler: RouteHandler): Route => ({
    methods,
    path: `${PATH}/${path}`,
    group: GROUP,
    name,
    handler,
  });
  return [
    route(["GET", "POST", "PUT", "DELETE"], "method/:method", "InvokeActor", (exchange, params, query) =>
      invoke(exchange, params, query, actors, maxBodyBytes),
    ),
    route(WRITE_METHODS, "state", "ExecuteActorStateTransaction", (exchange, params) =>
      transact(exchange, params, actors, maxBodyBytes),
    ),
    route(["GET"], "state/:key", "GetActorState", (exchange, params) => getState(exchange, params, actors)),
    ...reminderRoutes(actors, maxBodyBytes, route),
    route(WRITE_METHODS, "timers/:name", "RegisterActorTimer", async (exchange, params) => {
      const ref = refOf(params);
      checkNotReserved(ref.type);
      const tick = decoded(await exchange.readBody(maxBodyBytes), decodeTick);
      const name = nameOf(params);
      actors.checkAccess(ref.type);
      actors.createTimer({ ...ref, ...tick, name });
      respondEmpty(exchange);
    }),
    route(["DELETE"], "timers/:name", "UnregisterActorTimer", (exchange, params) => {
      const ref = refOf(params);
      actors.checkAccess(ref.type);
      actors.deleteTimer(ref, params["name"] ?? "");
      respondEmpty(exchange);
    }),
  ];
}

function reminderRoutes(
  actors: ActorsBlock,
  maxBodyBytes: number,
  route: (methods: readonly string[], path: string, name: string, handler: RouteHandler) => Route,
): Route[] {
  const path = "reminders/:name";
  let messages: ReminderMessages | undefined;
  return [
    route(WRITE_METHODS, path, "RegisterActorReminder", async (exchange, params) => {
      const ref = refOf(params);
      checkNotReserved(ref.type);
      const body = await exchange.readBody(maxBodyBytes);
      messages ??= await import("./reminder-messages.ts");
      const request = decoded(body, messages.decodeReminder);
      const name = nameOf(params);
      actors.checkAccess(ref.type);
      await actors.reminders.create({ ...ref, ...request, name });
      respondEmpty(exchange);
    }),
    route(["GET"], path, "GetActorReminder", async (exchange, params) => {
      const ref = refOf(params);
      actors.checkAccess(ref.type);
      const reminder = await actors.reminders.get(ref, params["name"] ?? "");
      messages ??= await import("./reminder-messages.ts");
      respondJson(exchange, 200, messages.reminderJson(reminder));
    }),
    route(["DELETE"], path, "UnregisterActorReminder", async (exchange, params) => {
      const ref = refOf(params);
      actors.checkAccess(ref.type);
      await actors.reminders.delete(ref, params["name"] ?? "");
      respondEmpty(exchange);
    }),
  ];
}

async function invoke(
  exchange: HttpExchange,
  params: PathParams,
  query: string,
  actors: ActorsBlock,
  maxBodyBytes: number,
): Promise<void> {
  const ref = refOf(params);
  checkName("actorType", ref.type);
  checkName("actorId", ref.id);
  const method = methodOf(params["method"] ?? "");
  const reply = await actors.call({
    ...ref,
    method,
    verb: exchange.method,
    query,
    headers: forwarded(exchange.headers),
    trace: exchange.trace,
    contentType: exchange.header("content-type") ?? "",
    body: await exchange.readBody(maxBodyBytes),
    signal: callerSignal(exchange),
  });
  const { status, body } = reply;
  const code = status.kind === "http" ? status.code : httpStatusOfGrpc(status.code);
  exchange.respond(code, responseHeadersOf({ ...reply, trailers: [] }), body);
}

/** Without what is meant for this sidecar alone, and with the mark of a call from the API. */
function forwarded(headers: HeaderList): string[] {
  const kept = ["Dapr-API-Call", "true"];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    const lower = name.toLowerCase();
    if (lower !== "dapr-api-token" && !CALLER_HEADERS.has(lower)) {
      kept.push(name, headers[index + 1] as string);
    }
  }
  return kept;
}

async function transact(
  exchange: HttpExchange,
  params: PathParams,
  actors: ActorsBlock,
  maxBodyBytes: number,
): Promise<void> {
  const ref = refOf(params);
  actors.checkAccess(ref.type);
  const operations = decoded(await exchange.readBody(maxBodyBytes), decodeActorOperations);
  await actors.transact(ref, operations);
  respondEmpty(exchange);
}

async function getState(exchange: HttpExchange, params: PathParams, actors: ActorsBlock): Promise<void> {
  const ref = refOf(params);
  actors.checkAccess(ref.type);
  const item = await actors.getState(ref, params["key"] ?? "");
  if (item === undefined || item.data.length === 0) {
    respondEmpty(exchange);
    return;
  }
  const headers = ["content-type", "application/json"];
  for (const [name, value] of Object.entries(item.metadata ?? {})) {
    headers.push(`metadata.${name.toLowerCase()}`, value);
  }
  exchange.respond(200, headers, item.data);
}

function refOf(params: PathParams): ActorRef {
  return { type: params["type"] ?? "", id: params["id"] ?? "" };
}

/** The name of a timer or reminder. */
function nameOf(params: PathParams): string {
  const name = params["name"] ?? "";
  try {
    checkActorName(name);
  } catch (error) {
    throw badRequest(error);
  }
  return name;
}

function checkName(what: string, name: string): void {
  try {
    checkActorName(name);
  } catch (error) {
    throw error instanceof ActorNameError
      ? apiError(commonErrors.badRequest, { reason: `invalid ${what}: ${error.message}` }, { cause: error })
      : error;
  }
}

function methodOf(method: string): string {
  try {
    return canonicalMethod(method);
  } catch (error) {
    throw badRequest(error);
  }
}

function badRequest(error: unknown): unknown {
  return error instanceof InvalidMethodError || error instanceof ActorNameError
    ? apiError(commonErrors.badRequest, { reason: error.message }, { cause: error })
    : error;
}

function decoded<T>(body: Uint8Array, decode: (body: Uint8Array) => T): T {
  try {
    return decode(body);
  } catch (error) {
    throw error instanceof JsonBodyError
      ? apiError(commonErrors.malformedRequest, { reason: error.message }, { cause: error })
      : error;
  }
}
