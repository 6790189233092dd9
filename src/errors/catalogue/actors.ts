import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of actors (pkg/messages/predefined.go of Dapr 1.18.3); bare on both doors. */
export const actorErrors = {
  reminderNotHosted: entry(
    "ERR_ACTOR_REMINDER_NON_HOSTED",
    403,
    GRPC_STATUS.PERMISSION_DENIED,
    "operations on actor reminders are only possible on hosted actor types",
  ),
  typeReserved: entry(
    "ERR_ACTOR_TYPE_RESERVED",
    403,
    GRPC_STATUS.PERMISSION_DENIED,
    "actor type {type} is reserved for the Dapr workflow runtime; direct actor API access is not permitted",
  ),
  stateStoreMissing: entry(
    "ERR_ACTOR_RUNTIME_NOT_FOUND",
    500,
    GRPC_STATUS.INTERNAL,
    'the state store is not configured to use the actor runtime. Have you set the - name: actorStateStore value: "true" in your state store component file?',
  ),
  instanceMissing: entry("ERR_ACTOR_INSTANCE_MISSING", 400, GRPC_STATUS.INTERNAL, "actor instance is missing"),
  invoke: entry("ERR_ACTOR_INVOKE_METHOD", 500, GRPC_STATUS.INTERNAL, "error invoke actor method: {reason}"),
  stateGet: entry("ERR_ACTOR_STATE_GET", 500, GRPC_STATUS.INTERNAL, "error getting actor state: {reason}"),
  stateTransaction: entry(
    "ERR_ACTOR_STATE_TRANSACTION_SAVE",
    500,
    GRPC_STATUS.INTERNAL,
    "error saving actor transaction state: {reason}",
  ),
  stateFenced: entry(
    "ERR_ACTOR_STATE_FENCED",
    409,
    GRPC_STATUS.ABORTED,
    "nothing of the transaction was written: {reason}; actor {actor} is deactivated in this sidecar and loads its state afresh with its next call",
  ),
  stateUncertain: entry(
    "ERR_ACTOR_STATE_UNCERTAIN",
    500,
    GRPC_STATUS.INTERNAL,
    "it is not known whether the transaction was written: {reason}; actor {actor} is deactivated in this sidecar and loads its state afresh with its next call",
  ),
  stateKeyReserved: entry(
    "ERR_ACTOR_STATE_KEY_RESERVED",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "the key {key} of an actor's state belongs to the runtime: it can be neither written nor deleted",
  ),
  reminderCreate: entry(
    "ERR_ACTOR_REMINDER_CREATE",
    500,
    GRPC_STATUS.INTERNAL,
    "error creating actor reminder: {reason}",
  ),
  reminderGet: entry("ERR_ACTOR_REMINDER_GET", 500, GRPC_STATUS.INTERNAL, "error getting actor reminder: {reason}"),
  reminderDelete: entry(
    "ERR_ACTOR_REMINDER_DELETE",
    500,
    GRPC_STATUS.INTERNAL,
    "error deleting actor reminder: {reason}",
  ),
  reminderNotFound: entry(
    "ERR_ACTOR_REMINDER_NOT_FOUND",
    404,
    GRPC_STATUS.NOT_FOUND,
    "actor reminder not found: {name}",
  ),
  reminderExists: entry(
    "ERR_ACTOR_REMINDER_ALREADY_EXISTS",
    409,
    GRPC_STATUS.ALREADY_EXISTS,
    "actor reminder already exists: {name}",
  ),
  timerCreate: entry("ERR_ACTOR_TIMER_CREATE", 500, GRPC_STATUS.INTERNAL, "error creating actor timer: {reason}"),
  stackDepth: entry("ERR_ACTOR_STACK_DEPTH", 500, GRPC_STATUS.RESOURCE_EXHAUSTED, "maximum stack depth exceeded"),
  noPlacement: entry("ERR_ACTOR_NO_PLACEMENT", 400, GRPC_STATUS.UNAVAILABLE, "placement service is not configured"),
  closed: entry("ERR_ACTOR_RUNTIME_CLOSED", 503, GRPC_STATUS.UNAVAILABLE, "actor runtime is closed"),
  noAddress: entry(
    "ERR_ACTOR_NO_ADDRESS",
    404,
    GRPC_STATUS.FAILED_PRECONDITION,
    "did not find address for actor '{actor}'",
  ),
} as const;

function entry<M extends string>(code: string, httpStatus: number, grpcStatus: ErrorEntry["grpcStatus"], message: M) {
  return { code, category: "actor", httpStatus, grpcStatus, message } as const satisfies ErrorEntry<M>;
}
