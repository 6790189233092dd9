import { JsonSyntaxError } from "../../kit/json-lexer.ts";
import { type JsonKind, JsonScanner } from "../../kit/json-scanner.ts";

/** A body cannot be decoded; the message is what Go's decoder would say, which is what Dapr's answers show. */
export class JsonBodyError extends Error {
  override readonly name = "JsonBodyError";
}

/** Builds the text for a value of the wrong kind: `path` as the decoder names the place, `type` the Go type it has. */
export type MismatchText = (path: string, type: string, kind: JsonKind, value: Uint8Array) => string;

/** How `encoding/json` says it. */
export const goMismatch: MismatchText = (path, type, kind) =>
  `json: cannot unmarshal ${kind} into Go ${path === "" ? "value" : `struct field ${path}`} of type ${type}`;

/**
 * Reads a body by Go's rules: names match without case, unknown ones are skipped, `null` leaves a field as it is, text
 * behind the first value is not looked at. A value of the wrong kind is remembered and decoding goes on, since a syntax
 * error further on is the one that is told.
 */
export class JsonDecoder {
  readonly scanner: JsonScanner;
  #fault: string | undefined;

  constructor(body: Uint8Array) {
    this.scanner = new JsonScanner(body);
  }

  /** @throws JsonBodyError for the first value of a wrong kind */
  finish(): void {
    if (this.#fault !== undefined) {
      throw new JsonBodyError(this.#fault);
    }
  }

  /** Remembers that something is wrong, unless something is already. */
  reject(message: string): void {
    this.#fault ??= message;
  }

  /** True when a value of that kind follows. Otherwise it has been stepped over: null silently, others as a mismatch. */
  expects(wanted: JsonKind, path: string, type: string, mismatch: MismatchText = goMismatch): boolean {
    const kind = this.scanner.kind();
    if (kind === wanted) {
      return true;
    }
    const value = this.scanner.sliceValue();
    if (kind !== "null") {
      this.reject(mismatch(path, type, kind, value));
    }
    return false;
  }

  /** A string, or `absent` for null and mismatches. */
  string<T>(absent: T, path: string, mismatch?: MismatchText): string | T {
    return this.expects("string", path, "string", mismatch) ? this.scanner.readString() : absent;
  }

  /** Adds the members of an object of strings to `target`; null values are empty strings. `path` gives a member's place. */
  stringMap(
    target: Record<string, string> | undefined,
    path: string,
    memberPath: (name: string) => string,
    mismatch?: MismatchText,
  ): Record<string, string> | undefined {
    if (!this.expects("object", path, "map[string]string", mismatch)) {
      return undefined;
    }
    const map = target ?? {};
    const { scanner } = this;
    for (let more = scanner.openObject(); more; more = scanner.nextMember()) {
      const name = scanner.memberName();
      const value = this.string("", memberPath(name), mismatch);
      Object.defineProperty(map, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return map;
  }
}

/** Runs a decoder over a body. @throws JsonBodyError with Go's text */
export function decodeBody<T>(body: Uint8Array, decode: (decoder: JsonDecoder) => T): T {
  const decoder = new JsonDecoder(body);
  try {
    const decoded = decode(decoder);
    decoder.finish();
    return decoded;
  } catch (error) {
    throw error instanceof JsonSyntaxError ? new JsonBodyError(error.message, { cause: error }) : error;
  }
}
