import { JsonSyntaxError } from "../kit/json-lexer.ts";
import { JsonScanner } from "../kit/json-scanner.ts";
import type { StateItem } from "../wire/gen/dapr/proto/common/v1/common_pb.js";
import type {
  BindingEventResponse,
  BindingEventResponse_BindingEventConcurrency,
} from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { BindingReply, BindingStateItem } from "./types.ts";

/** The wire's number, stated here so that HTTP apps need no protobuf. */
const PARALLEL: BindingEventResponse_BindingEventConcurrency.PARALLEL = 1;

const NO_BYTES = new Uint8Array(0);
const OPENING_BRACE = 0x7b;
const NULL = Buffer.from("null");

/**
 * Reads an HTTP app's answer to a binding's event. A JSON object may direct what happens next by `storeName`, `state`,
 * `to`, `data` and `concurrency` (Dapr's page "Bindings API"); any other body is only the answer.
 */
export function httpBindingReply(body: Uint8Array): BindingReply {
  if (body[0] !== OPENING_BRACE) {
    return { body, storeName: "", states: [], to: [], data: NO_BYTES, parallel: false };
  }
  try {
    return { body, ...readDirections(new JsonScanner(body)) };
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      return { body, storeName: "", states: [], to: [], data: NO_BYTES, parallel: false };
    }
    throw error;
  }
}

/** A gRPC app's answer; its data is both the answer and what output bindings get. */
export function grpcBindingReply(response: BindingEventResponse): BindingReply {
  const { storeName, states, to, data, concurrency } = response;
  return {
    body: data,
    storeName,
    states: states.map(grpcStateItem),
    to,
    data,
    parallel: concurrency === PARALLEL,
  };
}

/** By the enums' numbers; 0 is "unspecified". */
const CONCURRENCIES = ["", "first-write", "last-write"];
const CONSISTENCIES = ["", "eventual", "strong"];

function grpcStateItem({ key, value, etag, metadata, options }: StateItem): BindingStateItem {
  return {
    key,
    value,
    valueIsJson: false,
    etag: etag?.value,
    metadata,
    concurrency: CONCURRENCIES[options?.concurrency ?? 0] ?? "",
    consistency: CONSISTENCIES[options?.consistency ?? 0] ?? "",
  };
}

function readDirections(scanner: JsonScanner): Omit<BindingReply, "body"> {
  let storeName = "";
  let concurrency = "";
  let states: BindingStateItem[] = [];
  let to: string[] = [];
  let data: Uint8Array = NULL;
  eachMember(scanner, (name) => {
    switch (name) {
      case "storename":
        storeName = readString(scanner);
        break;
      case "state":
      case "states":
        states = readList(scanner, () => readStateItem(scanner)).filter((item) => item !== undefined);
        break;
      case "to":
        to = readList(scanner, () => readString(scanner));
        break;
      case "data":
        data = scanner.sliceValue();
        break;
      case "concurrency":
        concurrency = readString(scanner);
        break;
      default:
        scanner.skip();
    }
  });
  return { storeName, states, to, data, parallel: concurrency === "parallel" };
}

function readStateItem(scanner: JsonScanner): BindingStateItem | undefined {
  if (scanner.kind() !== "object") {
    scanner.skip();
    return undefined;
  }
  let key = "";
  let value: Uint8Array = NULL;
  let etag: string | undefined;
  const metadata: [string, string][] = [];
  const options = { concurrency: "", consistency: "" };
  eachMember(scanner, (name) => {
    switch (name) {
      case "key":
        key = readString(scanner);
        break;
      case "value":
        value = scanner.sliceValue();
        break;
      case "etag":
        etag = readString(scanner) || undefined;
        break;
      case "metadata":
        readObject(scanner, (field) => metadata.push([field, readString(scanner)]));
        break;
      case "options":
        readOptions(scanner, options);
        break;
      default:
        scanner.skip();
    }
  });
  return { key, value, valueIsJson: true, etag, metadata: Object.fromEntries(metadata), ...options };
}

function readOptions(scanner: JsonScanner, options: { concurrency: string; consistency: string }): void {
  readObject(scanner, (name) => {
    const lower = name.toLowerCase();
    if (lower === "concurrency" || lower === "consistency") {
      options[lower] = readString(scanner);
    } else {
      scanner.skip();
    }
  });
}

/** Members by their names in lower case, since Go reads them without case. */
function eachMember(scanner: JsonScanner, read: (lowerName: string) => void): void {
  readObject(scanner, (name) => read(name.toLowerCase()));
}

function readObject(scanner: JsonScanner, read: (name: string) => void): void {
  if (scanner.kind() !== "object") {
    scanner.skip();
    return;
  }
  for (let more = scanner.openObject(); more; more = scanner.nextMember()) {
    read(scanner.memberName());
  }
}

function readList<T>(scanner: JsonScanner, read: () => T): T[] {
  const list: T[] = [];
  if (scanner.kind() !== "array") {
    scanner.skip();
    return list;
  }
  for (let more = scanner.openArray(); more; more = scanner.nextElement()) {
    list.push(read());
  }
  return list;
}

function readString(scanner: JsonScanner): string {
  if (scanner.kind() === "string") {
    return scanner.readString();
  }
  scanner.skip();
  return "";
}
