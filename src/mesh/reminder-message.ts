import { create, fromBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, BytesValueSchema, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ActorTickCall } from "../app/actor-host.ts";
import { methodsOf } from "../net/grpc/protobuf.ts";
import { type Reminder, ReminderSchema } from "../wire/gen/dapr/proto/internals/v1/reminders_pb.js";
import { ServiceInvocation } from "../wire/gen/dapr/proto/internals/v1/service_invocation_pb.js";

/** Go's zero time, which stands for none. */
const NO_TIME_SECONDS = -62_135_596_800n;

/** `CallActorReminder` of `dapr.proto.internals.v1.ServiceInvocation`. */
export const { callActorReminder } = methodsOf(ServiceInvocation);

/** A timer or reminder as sidecars hand it to each other; the callback of a timer does not travel, as in Dapr. */
export function reminderMessage(tick: ActorTickCall): Reminder {
  const { type, id, name, period, dueTime, data, expiresMs, kind } = tick;
  const none = { seconds: NO_TIME_SECONDS, nanos: 0 };
  return create(ReminderSchema, {
    actorType: type,
    actorId: id,
    name,
    period,
    dueTime,
    isTimer: kind === "timer",
    registeredTime: none,
    expirationTime: expiresMs === undefined ? none : timestampFromMs(expiresMs),
    ...(data === undefined ? {} : { data: packedData(data) }),
  });
}

/** The tick that another sidecar hands over. */
export function tickOf(message: Reminder): ActorTickCall {
  const { actorType, actorId, name, period, dueTime, data, expirationTime, isTimer } = message;
  return {
    kind: isTimer ? "timer" : "reminder",
    type: actorType,
    id: actorId,
    name,
    period,
    dueTime,
    callback: "",
    data: data === undefined ? undefined : unpackedData(data),
    expiresMs:
      expirationTime === undefined || expirationTime.seconds === NO_TIME_SECONDS
        ? undefined
        : timestampMs(expirationTime),
  };
}

/** JSON text in the wrapper in which Dapr carries it. */
export function packedData(json: Uint8Array): Any {
  return anyPack(BytesValueSchema, create(BytesValueSchema, { value: json }));
}

/** The JSON text of such a wrapper; what is in no wrapper is taken as it is. */
export function unpackedData({ typeUrl, value }: Any): Uint8Array {
  return typeUrl.endsWith("/google.protobuf.BytesValue") ? fromBinary(BytesValueSchema, value).value : value;
}
