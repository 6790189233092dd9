import type { BindingsBlock } from "../../blocks/bindings/bindings-block.ts";
import { BindingFailure } from "../../components/spi/binding-failure.ts";
import type { BindingResponse } from "../../components/spi/bindings.ts";
import { ApiError } from "../../errors/error.ts";
import type { HttpExchange } from "../../net/http/types.ts";
import { metadataHeaders } from "../binding-metadata.ts";
import { decodeBody, type JsonDecoder } from "./json-decoder.ts";
import { respondEmpty } from "./reply.ts";
import type { Route } from "./route.ts";
import { malformedBody } from "./state-errors.ts";

export interface BindingsRoutesOptions {
  /** Bytes of a request body; 0: no limit. */
  readonly maxBodyBytes: number;
}

const NULL = Buffer.from("null");
const JSON_HEADERS = ["content-type", "application/json"];

/** Route 9 of the HTTP API. Metadata of the binding's answer stands in the headers, also beside an error. */
export function bindingsRoutes(block: BindingsBlock, { maxBodyBytes }: BindingsRoutesOptions): Route[] {
  return [
    {
      methods: ["POST", "PUT"],
      path: "/v1.0/bindings/:name",
      group: { name: "bindings", version: "v1" },
      name: "InvokeBinding",
      async handler(exchange, params) {
        const request = decodeRequest(await exchange.readBody(maxBodyBytes));
        const aborted = new AbortController();
        exchange.onAbort(() => aborted.abort(new Error("context canceled")));
        const metadata = withTrace(request.metadata, exchange);
        try {
          respond(
            exchange,
            await block.invoke({ ...request, metadata, binding: params["name"] ?? "", signal: aborted.signal }),
          );
        } catch (error) {
          if (error instanceof ApiError && error.cause instanceof BindingFailure) {
            exchange.addResponseHeaders(metadataHeaders(error.cause.response.metadata));
          }
          throw error;
        }
      },
    },
  ];
}

/** The binding gets the request's trace and baggage among its metadata. */
function withTrace(metadata: RequestBody["metadata"], exchange: HttpExchange): RequestBody["metadata"] {
  const baggage = exchange.header("baggage");
  const { trace } = exchange;
  if (baggage === undefined && trace === undefined) {
    return metadata;
  }
  return {
    ...metadata,
    ...(trace === undefined ? undefined : { traceparent: trace.traceparent }),
    ...(trace === undefined || trace.tracestate === "" ? undefined : { tracestate: trace.tracestate }),
    ...(baggage === undefined ? undefined : { baggage }),
  };
}

function respond(exchange: HttpExchange, { data, metadata, contentType }: BindingResponse): void {
  const headers = metadataHeaders(metadata);
  if (data === undefined) {
    exchange.addResponseHeaders(headers);
    respondEmpty(exchange);
    return;
  }
  exchange.respond(
    200,
    [...(contentType === undefined ? JSON_HEADERS : ["content-type", contentType]), ...headers],
    data,
  );
}

interface RequestBody {
  readonly operation: string;
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The data stays the JSON text that it is; without any it is `null`, as in Dapr. */
function decodeRequest(body: Uint8Array): RequestBody {
  try {
    return decodeBody(body, readRequest);
  } catch (error) {
    throw malformedBody(error);
  }
}

function readRequest(decoder: JsonDecoder): RequestBody {
  const { scanner } = decoder;
  let operation = "";
  let data: Uint8Array = NULL;
  let metadata: Record<string, string> | undefined;
  if (decoder.expects("object", "", "http.OutputBindingRequest")) {
    for (let more = scanner.openObject(); more; more = scanner.nextMember()) {
      switch (scanner.memberName().toLowerCase()) {
        case "operation":
          operation = decoder.string(operation, "OutputBindingRequest.operation");
          break;
        case "data":
          data = scanner.sliceValue();
          break;
        case "metadata":
          metadata = decoder.stringMap(
            metadata,
            "OutputBindingRequest.metadata",
            () => "OutputBindingRequest.metadata",
          );
          break;
        default:
          scanner.skip();
      }
    }
  }
  return { operation, data, metadata: metadata ?? {} };
}
