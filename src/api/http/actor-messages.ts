import type { ActorStateOperation } from "../../blocks/actors/actor-state.ts";
import type { TickTexts } from "../../blocks/actors/tick-times.ts";
import { decodeBody, goMismatch, type JsonDecoder } from "./json-decoder.ts";

/** What an upsert without a value saves. */
const NULL_VALUE: Uint8Array = Buffer.from("null");

interface Draft {
  operation: string;
  hasRequest: boolean;
  key: string;
  value: Uint8Array;
  etag: string | undefined;
  metadata: Record<string, string> | undefined;
}

/** A body of `POST /v1.0/actors/{type}/{id}/timers/{name}`, and of reminders as far as they share it. */
export interface TickBody extends TickTexts {
  readonly callback: string;
  /** JSON text; undefined: none. */
  readonly data: Uint8Array | undefined;
}

/** An array of state operations. @throws JsonBodyError with Go's text */
export function decodeActorOperations(body: Uint8Array): readonly ActorStateOperation[] {
  return decodeBody(body, (decoder) => {
    const { scanner } = decoder;
    const operations: ActorStateOperation[] = [];
    if (decoder.expects("array", "", "[]api.TransactionalOperation")) {
      for (let more = scanner.openArray(); more; more = scanner.nextElement()) {
        operations.push(decodeOperation(decoder));
      }
    }
    return operations;
  });
}

/** @throws JsonBodyError with Go's text */
export function decodeTick(body: Uint8Array): TickBody {
  return decodeBody(body, (decoder) => {
    const tick = { dueTime: "", period: "", ttl: "", callback: "", data: undefined as Uint8Array | undefined };
    eachMember(decoder, "api.CreateTimerRequest", (name) => {
      switch (name) {
        case "duetime":
          tick.dueTime = decoder.string(tick.dueTime, ".dueTime");
          return true;
        case "period":
          tick.period = decoder.string(tick.period, ".period");
          return true;
        case "ttl":
          tick.ttl = decoder.string(tick.ttl, ".ttl");
          return true;
        case "callback":
          tick.callback = decoder.string(tick.callback, ".callback");
          return true;
        case "data":
          tick.data = decoder.scanner.sliceValue();
          return true;
        default:
          return false;
      }
    });
    return tick;
  });
}

function decodeOperation(decoder: JsonDecoder): ActorStateOperation {
  const draft: Draft = {
    operation: "",
    hasRequest: false,
    key: "",
    value: NULL_VALUE,
    etag: undefined,
    metadata: undefined,
  };
  eachMember(decoder, "api.TransactionalOperation", (name) => {
    if (name === "operation") {
      draft.operation = decoder.string("", "TransactionalOperation.operation");
      return true;
    }
    if (name !== "request") {
      return false;
    }
    draft.hasRequest = decoder.scanner.kind() !== "null";
    decodeRequest(decoder, draft);
    return true;
  });
  return operationOf(draft);
}

function decodeRequest(decoder: JsonDecoder, draft: Draft): void {
  eachMember(decoder, "map[string]interface {}", (name) => {
    switch (name) {
      case "key":
        draft.key = decoder.string("", "Key");
        return true;
      case "value":
        draft.value = decoder.scanner.sliceValue();
        return true;
      case "etag":
        draft.etag = decoder.string(undefined, "ETag");
        return true;
      case "metadata":
        draft.metadata = decoder.stringMap(draft.metadata, "Metadata", (key) => `Metadata[${key}]`);
        return true;
      default:
        return false;
    }
  });
}

/** What cannot be carried out is told by the block, since Dapr tells it as a failed transaction. */
function operationOf({ operation, hasRequest, key, value, etag, metadata }: Draft): ActorStateOperation {
  if (!hasRequest) {
    return { kind: "invalid", reason: "request data is empty" };
  }
  switch (operation) {
    case "upsert":
      return { kind: "upsert", key, value, valueIsJson: true, etag, metadata: metadata ?? {} };
    case "delete":
      return { kind: "delete", key, etag };
    case "":
      return { kind: "invalid", reason: "operation is empty" };
    default:
      return { kind: "invalid", reason: `operation type ${operation} not supported` };
  }
}

function eachMember(decoder: JsonDecoder, type: string, member: (name: string) => boolean): void {
  if (!decoder.expects("object", "", type, goMismatch)) {
    return;
  }
  const { scanner } = decoder;
  for (let more = scanner.openObject(); more; more = scanner.nextMember()) {
    if (!member(scanner.memberName().toLowerCase())) {
      scanner.skip();
    }
  }
}
