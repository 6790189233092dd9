import type { DescService } from "@bufbuild/protobuf";
import fc from "fast-check";
import { actorErrors } from "../../src/errors/catalogue/actors.ts";
import { bindingErrors } from "../../src/errors/catalogue/bindings.ts";
import { commonErrors } from "../../src/errors/catalogue/common.ts";
import { configurationErrors } from "../../src/errors/catalogue/configuration.ts";
import { conversationErrors } from "../../src/errors/catalogue/conversation.ts";
import { cryptoErrors } from "../../src/errors/catalogue/crypto.ts";
import { healthErrors } from "../../src/errors/catalogue/health.ts";
import { invocationErrors } from "../../src/errors/catalogue/invocation.ts";
import { jobErrors } from "../../src/errors/catalogue/jobs.ts";
import { lockErrors } from "../../src/errors/catalogue/lock.ts";
import { pubsubErrors } from "../../src/errors/catalogue/pubsub.ts";
import { secretErrors } from "../../src/errors/catalogue/secrets.ts";
import { stateErrors } from "../../src/errors/catalogue/state.ts";
import type { ErrorEntry } from "../../src/errors/error.ts";
import { createGrpcClient } from "../../src/net/grpc/client.ts";
import { methodOf } from "../../src/net/grpc/protobuf.ts";
import { grpcStatusOf } from "../../src/net/grpc/status.ts";
import type { AnyMethod } from "../../src/net/grpc/server-types.ts";
import type { HttpResponse } from "../../src/net/http/types.ts";
import { callInProcess } from "../../src/net/http/in-process.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { apiRoutes } from "../../src/sidecar/doors.ts";
import type { DoorsPlan } from "../../src/sidecar/doors-plan.ts";
import { Dapr } from "../../src/wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import type { TestSidecar } from "../harness/test-sidecar.ts";
import { VALID_BODIES } from "./api-bodies.ts";
import { anyMessage, jsonValue, mutatedJson, word } from "./api-values.ts";

/** A request or call that has no answer by then hangs. */
const ANSWER_MS_MAX = 10_000;
/** Messages a streaming call is sent, and answers read of it, before it is given up. */
const STREAM_MESSAGES_MAX = 4;
const STREAM_MS_MAX = 200;

/** Routes and methods that end what is tested. */
const LEFT_OUT: ReadonlySet<string> = new Set(["Shutdown", "shutdown"]);

/** Codes that an answer of the runtime's own may carry: those of the catalogue, and reasons of rich errors. */
export const CATALOGUE_CODES: ReadonlySet<string> = new Set(
  [
    bindingErrors,
    commonErrors,
    configurationErrors,
    conversationErrors,
    cryptoErrors,
    healthErrors,
    invocationErrors,
    jobErrors,
    actorErrors,
    lockErrors,
    pubsubErrors,
    secretErrors,
    stateErrors,
  ]
    .flatMap((errors: Readonly<Record<string, ErrorEntry>>) => Object.values(errors))
    .flatMap(({ code, reason }) => (reason === undefined ? [code] : [code, reason])),
);

/** One route of the HTTP API, by what it needs to be called. */
export interface FuzzedRoute {
  readonly name: string;
  readonly method: string;
  readonly path: string;
}

/** Every method of every route; blocks are looked at by requests only, so that none is needed here. */
export function fuzzedRoutes(): readonly FuzzedRoute[] {
  const anything: unknown = new Proxy(() => undefined, { get: () => anything });
  return apiRoutes(anything as DoorsPlan)
    .filter(({ name }) => !LEFT_OUT.has(name))
    .flatMap(({ name, path, methods }) =>
      methods.map((method) => ({ name, path, method: method === "*" ? "POST" : method })),
    );
}

export interface HttpCase {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

const HEADERS = [
  "content-type", "if-match", "dapr-app-id", "metadata.ttlInSeconds", "dapr-key-name", "dapr-key-wrap-algorithm",
  "traceparent", "tracestate", "baggage", "authorization", "origin", "accept", "x-forwarded-for", "dapr-callee-app-id",
] as const; // prettier-ignore

/** Header values: what a field may hold at all, since the parser in front refuses the rest. */
const headerText = word.map((text) => text.replace(/[^\x20-\x7e]/g, "").trim());

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** What stands in the place of a component or topic, so that most requests get as far as a component. */
const COMPONENTS: Readonly<Record<string, readonly string[]>> = {
  state: ["store", "settings", "encrypted"],
  publish: ["broker"],
  bulk: ["broker"],
  bindings: ["file"],
  secrets: ["secrets"],
  configuration: ["values"],
  lock: ["locks"],
  unlock: ["locks"],
  crypto: ["vault"],
  subtlecrypto: ["vault"],
  conversation: ["echo"],
  invoke: ["me"],
};

function componentAfter(place: string | undefined): fc.Arbitrary<string> | undefined {
  const names = place === undefined ? undefined : COMPONENTS[place];
  return names && fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: segment });
}

/** A path segment: mostly encoded as clients do, sometimes as it is. */
const segment = fc.oneof(
  { weight: 4, arbitrary: word.map(encoded) },
  { weight: 1, arbitrary: word.map((text) => text.replace(/[^\x21-\x7e]|[?#]/g, "")) },
);

export function httpCase(routes: readonly FuzzedRoute[]): fc.Arbitrary<HttpCase> {
  return fc.constantFrom(...routes).chain((route) => {
    const places = route.path.split("/").slice(1);
    const path = fc
      .tuple(
        ...places.map((place, index) =>
          place.startsWith(":") || place === "*" ? (componentAfter(places[index - 1]) ?? segment) : fc.constant(place),
        ),
      )
      .map((parts) => `/${parts.join("/")}`);
    const query = fc
      .array(
        fc.tuple(
          fc.constantFrom(
            "key",
            "metadata.ttlInSeconds",
            "concurrency",
            "consistency",
            "prefix",
            "token",
            "pageSize",
            "appid",
          ),
          word,
        ),
        { maxLength: 3 },
      )
      .map((pairs) => pairs.map(([name, value]) => `${name}=${encoded(value)}`).join("&"));
    const headers = fc
      .array(fc.tuple(fc.constantFrom(...HEADERS), headerText), { maxLength: 3 })
      .map((pairs) => pairs.flat());
    const valid = VALID_BODIES[route.name] ?? [];
    const json = fc.oneof(
      jsonValue,
      ...valid.map((body) => mutatedJson(body)),
      ...valid.map((body) => mutatedJson(body)),
    );
    const body = fc.oneof(
      { weight: 8, arbitrary: json.map((value) => Buffer.from(JSON.stringify(value) ?? "")) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
      { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
    );
    return fc.record({ path, query, headers, body }).map((made) => ({
      method: route.method,
      target: made.query === "" ? made.path : `${made.path}?${made.query}`,
      headers: made.headers,
      body: made.body,
    }));
  });
}

/** The one route whose failures have a shape of their own, `{"message"}`, as in Dapr. */
const UNCODED = /^\/v1\.0(?:-alpha1)?\/configuration\/.*\/unsubscribe/;

/** Sends one request. @returns what is wrong with its answer; undefined when nothing is */
export async function judgeHttp({ sidecar }: TestSidecar, one: HttpCase): Promise<string | undefined> {
  let response: HttpResponse;
  try {
    response = await callInProcess(sidecar.http, { ...one, headTimeoutMs: ANSWER_MS_MAX });
  } catch (error) {
    return `no answer: ${String(error)}`;
  }
  const { status } = response;
  const text = await textOf(response);
  if (status < 400) return undefined;
  const code = errorCodeOf(text);
  if (code === undefined && UNCODED.test(one.target)) return undefined;
  if (code === undefined)
    return status >= 500 ? `status ${status} without an errorCode: ${text.slice(0, 300)}` : undefined;
  return CATALOGUE_CODES.has(code)
    ? undefined
    : `status ${status} with ${code}, which is not in the catalogue: ${text.slice(0, 300)}`;
}

async function textOf({ body }: HttpResponse): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function errorCodeOf(text: string): string | undefined {
  try {
    const code = (JSON.parse(text) as { readonly errorCode?: unknown }).errorCode;
    return typeof code === "string" ? code : undefined;
  } catch {
    return undefined;
  }
}

export interface GrpcCase {
  readonly method: AnyMethod;
  readonly messages: readonly unknown[];
  /** Instead of the messages, for unary methods. */
  readonly bytes: Uint8Array | undefined;
}

/** Any call of `dapr.proto.runtime.v1.Dapr`: messages of the right type, or bytes that may be none. */
export function grpcCase(service: DescService = Dapr): fc.Arbitrary<GrpcCase> {
  const methods = service.methods.filter(({ name }) => !LEFT_OUT.has(name));
  return fc.constantFrom(...methods).chain((desc) =>
    fc.record({
      method: fc.constant(methodOf(desc) as AnyMethod),
      messages: fc.array(anyMessage(desc.input), {
        minLength: 1,
        maxLength: desc.methodKind === "unary" || desc.methodKind === "server_streaming" ? 1 : STREAM_MESSAGES_MAX,
      }),
      bytes: fc.option(fc.uint8Array({ maxLength: 100 }), { freq: 10, nil: undefined }),
    }),
  );
}

/** Calls a sidecar's gRPC port. */
export class GrpcJudge {
  readonly #client;

  constructor({ sidecar }: TestSidecar) {
    this.#client = createGrpcClient(createH2Transport(), `127.0.0.1:${sidecar.ports.grpc ?? 0}`);
  }

  /** @returns what is wrong with the call's outcome; undefined when nothing is */
  async judge({ method, messages, bytes }: GrpcCase): Promise<string | undefined> {
    const called = bytes === undefined ? method : { ...method, encodeRequest: () => bytes };
    try {
      if (method.kind === "unary") await this.#client.unary(called, messages[0], { timeoutMs: ANSWER_MS_MAX });
      else await this.#stream(called, messages);
    } catch (error) {
      const { code, message } = grpcStatusOf(error);
      if (message.includes("deadline") && method.kind === "unary") return `${method.path}: ${code} ${message}`;
    }
    return undefined;
  }

  async #stream(method: AnyMethod, messages: readonly unknown[]): Promise<void> {
    const stream = this.#client.stream(method, { timeoutMs: STREAM_MS_MAX });
    for (const [index, message] of messages.entries()) {
      await stream.send(message, index === messages.length - 1);
    }
    let read = 0;
    for await (const response of stream.responses) {
      read += response === undefined ? 0 : 1;
      if (read >= STREAM_MESSAGES_MAX) break;
    }
    stream.cancel();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/** Lines about errors that nobody foresaw: the doors log each with its stack. */
export function bugsOf({ logger }: TestSidecar): readonly string[] {
  return logger.lines.filter(({ message }) => message.includes("bug:")).map(({ message }) => message);
}
