import { fromJsonString } from "@bufbuild/protobuf";
import type { ReminderRequest, StoredReminder } from "../../blocks/actors/actor-reminders.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { compactJson } from "../../kit/json-compact.ts";
import { unpackedData } from "../../mesh/reminder-message.ts";
import { type JobFailurePolicy, JobFailurePolicySchema } from "../../wire/gen/dapr/proto/common/v1/common_pb.js";
import { decodeTick } from "./actor-messages.ts";
import { decodeBody, JsonBodyError } from "./json-decoder.ts";

/** A body of `POST /v1.0/actors/{type}/{id}/reminders/{name}`. @throws JsonBodyError with Go's text */
export function decodeReminder(body: Uint8Array): Omit<ReminderRequest, "type" | "id" | "name"> {
  const { dueTime, period, ttl, data } = decodeTick(body);
  return { dueTime, period, ttl, data, ...ownFields(body) };
}

/** In the order of Dapr's encoder. */
export function reminderJson({ type, id, data, dueTime, period, ttl }: StoredReminder): string {
  const rest = JSON.stringify({ dueTime, period, ttl });
  const head = JSON.stringify({ actorID: id, actorType: type }).slice(0, -1);
  const json =
    data === undefined
      ? ""
      : `,"data":${Buffer.from(compactJson(unpackedData({ $typeName: "google.protobuf.Any", ...data }))).toString()}`;
  return `${head}${json}${rest === "{}" ? "}" : `,${rest.slice(1)}`}`;
}

/** What timers do not have. */
function ownFields(body: Uint8Array): Pick<ReminderRequest, "overwrite" | "failurePolicy"> {
  return decodeBody(body, (decoder) => {
    const { scanner } = decoder;
    let overwrite = true;
    let failurePolicy: JobFailurePolicy | undefined;
    for (let more = scanner.openObject(); more; more = scanner.nextMember()) {
      const name = scanner.memberName().toLowerCase();
      if (name === "overwrite" && decoder.scanner.kind() === "bool") {
        overwrite = Buffer.from(scanner.sliceValue()).toString() === "true";
      } else if (name === "failurepolicy" || name === "failure_policy") {
        failurePolicy = policyOf(scanner.sliceValue());
      } else {
        scanner.skip();
      }
    }
    return { overwrite, failurePolicy };
  });
}

function policyOf(json: Uint8Array): JobFailurePolicy | undefined {
  const text = Buffer.from(json).toString();
  if (text === "null") {
    return undefined;
  }
  try {
    return fromJsonString(JobFailurePolicySchema, text, { ignoreUnknownFields: true });
  } catch (error) {
    throw new JsonBodyError(`failurePolicy: ${errorMessage(error)}`, { cause: error });
  }
}
