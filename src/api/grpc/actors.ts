import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { CALLER_HEADERS } from "../../app/header-rules.ts";
import { ActorNameError, checkActorName } from "../../blocks/actors/actor-name.ts";
import type { StoredReminder } from "../../blocks/actors/actor-reminders.ts";
import type { ActorStateOperation } from "../../blocks/actors/actor-state.ts";
import type { ActorsBlock } from "../../blocks/actors/actors-block.ts";
import { canonicalMethod, InvalidMethodError } from "../../blocks/invocation/method-path.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { stateErrors } from "../../errors/catalogue/state.ts";
import { apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import {
  GetActorReminderResponseSchema,
  ListActorRemindersResponseSchema,
  type TransactionalActorStateOperation,
  UnregisterActorRemindersByTypeResponseSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { actorStatus } from "./actor-status.ts";
import type { ServiceHandlers } from "./service.ts";

const NO_BYTES = new Uint8Array(0);

type ActorMethods =
  | "invokeActor"
  | "getActorState"
  | "executeActorStateTransaction"
  | "registerActorTimer"
  | "unregisterActorTimer"
  | "registerActorReminder"
  | "getActorReminder"
  | "listActorReminders"
  | "unregisterActorReminder"
  | "unregisterActorRemindersByType";

/** Calls, state, timers and reminders of actors of `dapr.proto.runtime.v1.Dapr`. */
export function actorsHandlers(actors: ActorsBlock): Pick<ServiceHandlers<typeof Dapr>, ActorMethods> {
  return {
    async invokeActor({ actorType, actorId, method, data, metadata }, call) {
      checkName("actorType", actorType);
      checkName("actorId", actorId);
      try {
        const reply = await actors.call({
          type: actorType,
          id: actorId,
          method: methodOf(method),
          verb: "",
          query: "",
          headers: headersOf(metadata),
          trace: call.trace,
          contentType: "",
          body: data,
          signal: call.cancellation,
        });
        return { $typeName: "dapr.proto.runtime.v1.InvokeActorResponse", data: reply.body };
      } catch (error) {
        throw actorStatus(error);
      }
    },
    async getActorState({ actorType, actorId, key }, call) {
      actors.checkAccess(actorType);
      const item = await actors.getState({ type: actorType, id: actorId }, key, call.cancellation);
      return {
        $typeName: "dapr.proto.runtime.v1.GetActorStateResponse",
        data: item?.data ?? NO_BYTES,
        metadata: { ...item?.metadata },
      };
    },
    async executeActorStateTransaction({ actorType, actorId, operations }, call) {
      actors.checkAccess(actorType);
      await actors.transact({ type: actorType, id: actorId }, operations.map(operationOf), call.cancellation);
      return create(EmptySchema);
    },
    registerActorTimer({ actorType, actorId, name, dueTime, period, ttl, callback, data }) {
      actors.checkAccess(actorType);
      checkTickName(name);
      actors.createTimer({ type: actorType, id: actorId, name, dueTime, period, ttl, callback, data: jsonOf(data) });
      return create(EmptySchema);
    },
    unregisterActorTimer({ actorType, actorId, name }) {
      actors.checkAccess(actorType);
      actors.deleteTimer({ type: actorType, id: actorId }, name);
      return create(EmptySchema);
    },
    async registerActorReminder(request, call) {
      const { actorType, actorId, name, dueTime, period, ttl, data, overwrite = true, failurePolicy } = request;
      actors.checkAccess(actorType);
      if (name === "") {
        throw apiError(commonErrors.badRequest, { reason: "reminder name cannot be empty" });
      }
      checkTickName(name);
      const ref = { type: actorType, id: actorId };
      await actors.reminders.create(
        { ...ref, name, dueTime, period, ttl, data: jsonOf(data), overwrite, failurePolicy },
        call.cancellation,
      );
      return create(EmptySchema);
    },
    async getActorReminder({ actorType, actorId, name }, call) {
      actors.checkAccess(actorType);
      const reminder = await actors.reminders.get({ type: actorType, id: actorId }, name, call.cancellation);
      return create(GetActorReminderResponseSchema, reminderFields(reminder));
    },
    async listActorReminders({ actorType, actorId }, call) {
      actors.checkAccess(actorType);
      const found = await actors.reminders.list(actorType, actorId, call.cancellation);
      const reminders = found.map((reminder) => ({ name: reminder.name, reminder: reminderFields(reminder) }));
      return create(ListActorRemindersResponseSchema, { reminders });
    },
    async unregisterActorReminder({ actorType, actorId, name }, call) {
      actors.checkAccess(actorType);
      await actors.reminders.delete({ type: actorType, id: actorId }, name, call.cancellation);
      return create(EmptySchema);
    },
    async unregisterActorRemindersByType({ actorType, actorId }, call) {
      actors.checkAccess(actorType);
      await actors.reminders.deleteAll(actorType, actorId, call.cancellation);
      return create(UnregisterActorRemindersByTypeResponseSchema);
    },
  };
}

function reminderFields({ type, id, dueTime, period, ttl, data }: StoredReminder) {
  return {
    actorType: type,
    actorId: id,
    ...(dueTime === undefined ? {} : { dueTime }),
    ...(period === undefined ? {} : { period }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(data === undefined ? {} : { data: { typeUrl: data.typeUrl, value: data.value } }),
  };
}

/** Dapr carries bytes as a JSON text in base64. */
function jsonOf(data: Uint8Array): Uint8Array | undefined {
  return data.byteLength === 0 ? undefined : Buffer.from(`"${Buffer.from(data).toString("base64")}"`);
}

function checkTickName(name: string): void {
  try {
    checkActorName(name);
  } catch (error) {
    throw apiError(commonErrors.badRequest, { reason: (error as Error).message }, { cause: error });
  }
}

function checkName(what: string, name: string): void {
  try {
    checkActorName(name);
  } catch (error) {
    throw error instanceof ActorNameError
      ? new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, `invalid ${what}: ${error.message}`, { cause: error })
      : error;
  }
}

function methodOf(method: string): string {
  try {
    return canonicalMethod(method);
  } catch (error) {
    throw error instanceof InvalidMethodError
      ? new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, `invalid actor method: ${error.message}`, { cause: error })
      : error;
  }
}

/** Without what only sidecars may say of a caller. */
function headersOf(metadata: Readonly<Record<string, string>>): string[] {
  const headers = ["Dapr-API-Call", "true"];
  for (const [name, value] of Object.entries(metadata)) {
    if (!CALLER_HEADERS.has(name.toLowerCase())) {
      headers.push(name, value);
    }
  }
  return headers;
}

function operationOf(operation: TransactionalActorStateOperation): ActorStateOperation {
  const { operationType, key, value, metadata } = operation;
  switch (operationType) {
    case "upsert":
      return { kind: "upsert", key, value: value?.value ?? NO_BYTES, valueIsJson: false, etag: undefined, metadata };
    case "delete":
      return { kind: "delete", key, etag: undefined };
    default:
      throw apiError(stateErrors.operationNotSupported, { operation: operationType });
  }
}
