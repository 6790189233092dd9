import type { BulkPublishEntry } from "../../blocks/pubsub/bulk-publish.ts";
import {
  isBinaryContentType,
  isCloudEventContentType,
  isJsonContentType,
  isTextContentType,
} from "../../kit/content-type.ts";
import { JsonSyntaxError } from "../../kit/json-lexer.ts";
import { decodeJsonString, JsonScanner } from "../../kit/json-scanner.ts";

/** The list cannot be read (`unmarshal`), or an event does not fit its content type (`mismatch`). The text is Dapr's. */
export class EntriesError extends Error {
  override readonly name = "EntriesError";
  readonly kind: "unmarshal" | "mismatch";

  constructor(kind: "unmarshal" | "mismatch", message: string) {
    super(message);
    this.kind = kind;
  }
}

const MISMATCH = "error: mismatch between contentType and event";
const STRUCT = "bulkPublishMessageEntry";

/**
 * Reads the body of a bulk publish: a list of `{entryId, event, contentType, metadata}`. A binary event is base64 text,
 * a text event a string, a JSON event any value, whose bytes pass through as they stand.
 * @throws EntriesError
 */
export function readBulkEntries(body: Uint8Array): BulkPublishEntry[] {
  try {
    return readList(new JsonScanner(body));
  } catch (error) {
    if (error instanceof JsonSyntaxError) {
      throw new EntriesError("unmarshal", error.message);
    }
    throw error;
  }
}

function readList(scanner: JsonScanner): BulkPublishEntry[] {
  const kind = scanner.kind();
  if (kind !== "array") {
    scanner.skip();
    if (kind === "null") {
      return [];
    }
    throw new EntriesError("unmarshal", `json: cannot unmarshal ${kind} into Go value of type []http.${STRUCT}`);
  }
  const entries: RawEntry[] = [];
  if (scanner.openArray()) {
    do {
      entries.push(readEntry(scanner));
    } while (scanner.nextElement());
  }
  return entries.map(({ event, ...entry }) => ({ ...entry, event: eventBytes(event, entry.contentType) }));
}

/** An entry whose event is still JSON. */
interface RawEntry {
  entryId: string;
  event: Uint8Array;
  contentType: string;
  metadata: Readonly<Record<string, string>> | undefined;
}

const NULL = Buffer.from("null");

function readEntry(scanner: JsonScanner): RawEntry {
  const entry: RawEntry = { entryId: "", event: NULL, contentType: "", metadata: undefined };
  const kind = scanner.kind();
  if (kind !== "object") {
    scanner.skip();
    if (kind === "null") {
      return entry;
    }
    throw new EntriesError("unmarshal", `json: cannot unmarshal ${kind} into Go value of type http.${STRUCT}`);
  }
  if (scanner.openObject()) {
    do {
      readField(scanner, scanner.memberName(), entry);
    } while (scanner.nextMember());
  }
  return entry;
}

/** Go's decoder takes names that differ only in case. */
function readField(scanner: JsonScanner, name: string, entry: RawEntry): void {
  switch (name.toLowerCase()) {
    case "entryid":
      entry.entryId = readText(scanner, "entryId", entry.entryId);
      return;
    case "event":
      entry.event = scanner.sliceValue();
      return;
    case "contenttype":
      entry.contentType = readText(scanner, "contentType", entry.contentType);
      return;
    case "metadata":
      entry.metadata = readMetadata(scanner);
      return;
    default:
      scanner.skip();
  }
}

function readText(scanner: JsonScanner, field: string, before: string): string {
  const kind = scanner.kind();
  if (kind === "string") {
    return scanner.readString();
  }
  scanner.skip();
  if (kind === "null") {
    return before;
  }
  throw new EntriesError(
    "unmarshal",
    `json: cannot unmarshal ${kind} into Go struct field ${STRUCT}.${field} of type string`,
  );
}

function readMetadata(scanner: JsonScanner): Readonly<Record<string, string>> | undefined {
  const kind = scanner.kind();
  if (kind !== "object") {
    scanner.skip();
    if (kind === "null") {
      return undefined;
    }
    throw new EntriesError(
      "unmarshal",
      `json: cannot unmarshal ${kind} into Go struct field ${STRUCT}.metadata of type map[string]string`,
    );
  }
  const metadata: Record<string, string> = {};
  if (scanner.openObject()) {
    do {
      const name = scanner.memberName();
      metadata[name] = readText(scanner, "metadata", "");
    } while (scanner.nextMember());
  }
  return metadata;
}

function eventBytes(event: Uint8Array, contentType: string): Uint8Array {
  if (isJsonContentType(contentType) || isCloudEventContentType(contentType)) {
    return event;
  }
  const isBinary = isBinaryContentType(contentType);
  if (event[0] !== 0x22 || (!isBinary && !isTextContentType(contentType))) {
    throw new EntriesError("mismatch", MISMATCH);
  }
  const text = decodeJsonString(event);
  return isBinary ? decodeBase64(text) : Buffer.from(text);
}

function decodeBase64(text: string): Uint8Array {
  const decoded = Buffer.from(text, "base64");
  const canonical = text.replace(/[\r\n]/g, "");
  if (decoded.toString("base64") !== canonical) {
    const at = canonical.search(/[^A-Za-z0-9+/=]/);
    const where = at === -1 ? Math.max(canonical.length - 1, 0) : at;
    throw new EntriesError(
      "mismatch",
      `error: unable to decode base64 application/octect-stream data: illegal base64 data at input byte ${where}`,
    );
  }
  return decoded;
}
