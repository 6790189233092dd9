import type { GrpcStatusCode } from "../errors/grpc-status.ts";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { goFormat } from "../kit/go-format.ts";
import { JsonScanner } from "../kit/json-scanner.ts";
import type { TopicEventResponse_TopicEventResponseStatus } from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { DeliveryOutcome, TopicEvent } from "./types.ts";

/** How an app that speaks gRPC answers to an event, as the wire numbers it. */
export type TopicEventStatus = TopicEventResponse_TopicEventResponseStatus;

/** Numbers of the wire's enum, stated here so that HTTP apps load no protobuf. */
const TOPIC_STATUS = { SUCCESS: 0, RETRY: 1, DROP: 2 } as const satisfies Record<
  keyof typeof TopicEventResponse_TopicEventResponseStatus,
  number
>;

/** What an answer without a status says. */
export const TOPIC_EVENT_SUCCESS: TopicEventStatus = TOPIC_STATUS.SUCCESS;

const SUCCESS: DeliveryOutcome = { kind: "success" };

/**
 * What an HTTP app's answer to a topic event means: any 2xx is a success unless its JSON body names another `status`,
 * 404 ends the message, everything else asks for it again. Reasons are Dapr's log texts.
 */
export function interpretHttpTopicResponse(status: number, body: Uint8Array, event: TopicEvent): DeliveryOutcome {
  if (status >= 200 && status <= 299) {
    return body.byteLength === 0 ? SUCCESS : interpretStatusName(statusOf(body), event);
  }
  const id = goFormat(event.fields["id"]);
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  if (status === 404) {
    return {
      kind: "drop",
      severity: "error",
      reason: `non-retriable error returned from app while processing pub/sub event ${id}: ${text}. status code returned: ${status}`,
    };
  }
  const topic = goFormat(event.fields["topic"]);
  return {
    kind: "retry",
    reason: `retriable error returned from app while processing pub/sub event ${id}, topic: ${topic}, body: ${text}. status code returned: ${status}`,
    status: { kind: "http", code: status },
  };
}

/** The same for a gRPC app that answered `OnTopicEvent` with OK, or an event of its stream. */
export function interpretGrpcTopicResponse(status: TopicEventStatus, event: TopicEvent): DeliveryOutcome {
  switch (status) {
    case TOPIC_STATUS.SUCCESS:
      return SUCCESS;
    case TOPIC_STATUS.RETRY:
      return interpretStatusName("RETRY", event);
    case TOPIC_STATUS.DROP:
      return interpretStatusName("DROP", event);
    default:
      return interpretStatusName(String(status), event);
  }
}

/** The same for a gRPC app that answered `OnTopicEvent` with an error: Unimplemented acknowledges, with a warning. */
export function interpretGrpcTopicError(code: GrpcStatusCode, message: string, event: TopicEvent): DeliveryOutcome {
  const id = goFormat(event.fields["id"]);
  const error = `rpc error: code = ${grpcCodeName(code)} desc = ${message}`;
  if (code === GRPC_STATUS.UNIMPLEMENTED) {
    return {
      kind: "success",
      warning: `non-retriable error returned from app while processing pub/sub event ${id}: ${error}`,
    };
  }
  return {
    kind: "retry",
    reason: `error returned from app while processing pub/sub event ${id}: ${error}`,
    status: { kind: "grpc", code },
  };
}

function interpretStatusName(name: string, event: TopicEvent): DeliveryOutcome {
  switch (name) {
    case "":
    case "SUCCESS":
      return SUCCESS;
    case "RETRY":
      return {
        kind: "retry",
        reason: `RETRY status returned from app while processing pub/sub event ${goFormat(event.fields["id"])}`,
      };
    case "DROP":
      return {
        kind: "drop",
        severity: "warn",
        reason: `DROP status returned from app while processing pub/sub event ${goFormat(event.fields["id"])}`,
      };
    default:
      return {
        kind: "retry",
        reason: `unknown status returned from app while processing pub/sub event ${goFormat(event.fields["id"])}, status: ${name}`,
      };
  }
}

/** The body's `status`; empty for a body that is not a JSON object or has none, both of which count as success. */
function statusOf(body: Uint8Array): string {
  const parsed = firstJsonValue(body);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return "";
  }
  const fields = parsed as Readonly<Record<string, unknown>>;
  const name = Object.hasOwn(fields, "status")
    ? "status"
    : Object.keys(fields).find((key) => key.toLowerCase() === "status");
  const value = name === undefined ? undefined : fields[name];
  return typeof value === "string" ? value : "";
}

/** As Go's decoder reads a stream: one value, whatever follows it. Undefined when there is none. */
function firstJsonValue(body: Uint8Array): unknown {
  try {
    const value = new JsonScanner(body).sliceValue();
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString());
  } catch {
    return undefined;
  }
}

const GRPC_CODE_NAMES: Readonly<Record<number, string>> = {
  0: "OK",
  1: "Canceled",
  2: "Unknown",
  3: "InvalidArgument",
  4: "DeadlineExceeded",
  5: "NotFound",
  6: "AlreadyExists",
  7: "PermissionDenied",
  8: "ResourceExhausted",
  9: "FailedPrecondition",
  10: "Aborted",
  11: "OutOfRange",
  12: "Unimplemented",
  13: "Internal",
  14: "Unavailable",
  15: "DataLoss",
  16: "Unauthenticated",
};

/** A status code's name as grpc-go prints it. */
function grpcCodeName(code: number): string {
  return GRPC_CODE_NAMES[code] ?? `Code(${code})`;
}
