import { create } from "@bufbuild/protobuf";
import { type Any, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ActorTickCall } from "../app/actor-host.ts";
import { methodsOf } from "../net/grpc/protobuf.ts";
import { ProtoReader } from "../wire/codecs/proto-reader.ts";
import { ProtoWriter } from "../wire/codecs/proto-writer.ts";
import { type Reminder, ReminderSchema } from "../wire/gen/dapr/proto/internals/v1/reminders_pb.js";
import { ServiceInvocation } from "../wire/gen/dapr/proto/internals/v1/service_invocation_pb.js";

const BYTES_VALUE = "type.googleapis.com/google.protobuf.BytesValue";
const BYTES_VALUE_OVERHEAD_BYTES = 16;
const NO_BYTES: Uint8Array = new Uint8Array(0);

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
  const writer = new ProtoWriter(json.byteLength + BYTES_VALUE_OVERHEAD_BYTES);
  if (json.byteLength > 0) {
    writer.octets(1, json);
  }
  return { $typeName: "google.protobuf.Any", typeUrl: BYTES_VALUE, value: writer.finish() };
}

/** The JSON text of such a wrapper; what is in no wrapper is taken as it is. */
export function unpackedData({ typeUrl, value }: Any): Uint8Array {
  if (!typeUrl.endsWith("/google.protobuf.BytesValue")) {
    return value;
  }
  const reader = new ProtoReader(value);
  let json = NO_BYTES;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) {
      json = reader.octets();
    } else {
      reader.skip();
    }
  }
  return json;
}
