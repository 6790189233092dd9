import { suggest } from "../../kit/distance.ts";
import { InvalidDurationError, parseGoDuration } from "../../kit/duration.ts";
import type { Logger } from "../../kit/logger.ts";
import { InvalidQuantityError, parseQuantity } from "../../kit/quantity.ts";
import type { ComponentMetadata, MetadataField } from "./component.ts";
import { ComponentError } from "./errors.ts";

/** What a kind's text becomes: durations are milliseconds, quantities bytes. */
interface KindTypes {
  readonly string: string;
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
  readonly duration: number;
  readonly quantity: number;
}

/** The decoded value of one field: never undefined when the field is required or has a default. */
export type FieldValue<F extends MetadataField> = F extends { readonly required: true } | { readonly default: string }
  ? KindTypes[F["kind"]]
  : KindTypes[F["kind"]] | undefined;

/** Values by field name, typed after the fields (declare them `as const satisfies readonly MetadataField[]`). */
export type DecodedMetadata<F extends readonly MetadataField[]> = {
  readonly [E in F[number] as E["name"]]: FieldValue<E>;
};

/** Fields of `spec.metadata` that the runtime itself reads, whatever the component (compatibility.md 4.1). */
const RUNTIME_FIELDS: readonly string[] = [
  "keyPrefix",
  "actorStateStore",
  "primaryEncryptionKey",
  "secondaryEncryptionKey",
  "outboxPublishPubsub",
  "outboxPublishTopic",
  "outboxPubsub",
  "outboxDiscardWhenMissingState",
  "consumerID",
  "publishingScopes",
  "subscriptionScopes",
  "allowedTopics",
  "protectedTopics",
  "route",
  "direction",
];

const TRUTHY: ReadonlySet<string> = new Set(["y", "yes", "true", "t", "on", "1"]);

/** Whether Dapr takes a text for true: `y`, `yes`, `true`, `t`, `on`, `1` without case; everything else is false. */
export function isTruthy(text: string): boolean {
  return TRUTHY.has(text.trim().toLowerCase());
}

export interface DecodeOptions {
  /** The component's name, for messages. */
  readonly component: string;
  /** Told about fields that the component does not have. */
  readonly logger: Logger;
}

/**
 * Reads a component's metadata by its manifest's fields. Names match without case and through aliases; an empty value
 * counts as none, as Go components treat it.
 * @throws ComponentError `invalidMetadata` naming component, field, value and what would be right
 */
export function decodeMetadata<const F extends readonly MetadataField[]>(
  fields: F,
  metadata: ComponentMetadata,
  options: DecodeOptions,
): DecodedMetadata<F> {
  const given = byLowerCase(metadata, options);
  const decoded: Record<string, unknown> = {};
  for (const field of fields) {
    const text = textOf(field, given);
    if (text === undefined && field.required === true) {
      throw invalid(
        options,
        field.name,
        field.missingText ??
          `metadata field "${field.name}" of component ${options.component} is required: ${field.description}`,
      );
    }
    decoded[field.name] = text === undefined ? undefined : decodeField(field, text, options);
  }
  warnUnknown(fields, given, options);
  return decoded as DecodedMetadata<F>;
}

/** Key in lower case → name and value as written. */
type Given = ReadonlyMap<string, { readonly name: string; readonly value: string }>;

function byLowerCase(metadata: ComponentMetadata, options: DecodeOptions): Given {
  const given = new Map<string, { name: string; value: string }>();
  for (const [name, value] of Object.entries(metadata)) {
    const key = name.toLowerCase();
    if (given.has(key)) {
      throw invalid(options, name, `failed to resolve aliases: key ${key} is duplicate in the metadata`);
    }
    given.set(key, { name, value });
  }
  return given;
}

function textOf(field: MetadataField, given: Given): string | undefined {
  for (const name of [field.name, ...(field.aliases ?? [])]) {
    const value = given.get(name.toLowerCase())?.value ?? "";
    if (value !== "") {
      return value;
    }
  }
  return field.default;
}

const INTEGER = /^[+-]?[0-9]+$/;

function decodeField(field: MetadataField, text: string, options: DecodeOptions): string | number | boolean {
  switch (field.kind) {
    case "string":
      return text;
    case "boolean":
      return isTruthy(text);
    case "integer":
      return INTEGER.test(text) && Number.isSafeInteger(Number(text))
        ? Number(text)
        : refuse(field, text, options, "a whole number such as 10");
    case "number":
      return text.trim() !== "" && Number.isFinite(Number(text))
        ? Number(text)
        : refuse(field, text, options, "a number such as 0.5");
    case "duration":
      return decodeDuration(field, text, options);
    case "quantity":
      return decodeQuantity(field, text, options);
  }
}

/** A whole number without a unit is seconds, as in Dapr. */
function decodeDuration(field: MetadataField, text: string, options: DecodeOptions): number {
  if (INTEGER.test(text)) {
    return Number(text) * 1_000;
  }
  try {
    return parseGoDuration(text);
  } catch (error) {
    if (error instanceof InvalidDurationError) {
      return refuse(field, text, options, "a duration such as 30s or 1h30m", error);
    }
    throw error;
  }
}

function decodeQuantity(field: MetadataField, text: string, options: DecodeOptions): number {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof InvalidQuantityError) {
      return refuse(field, text, options, "a size such as 4Mi or 512", error);
    }
    throw error;
  }
}

const HIDDEN_VALUE = "(hidden)";

function refuse(field: MetadataField, text: string, options: DecodeOptions, wanted: string, cause?: unknown): never {
  const shown = field.sensitive === true ? HIDDEN_VALUE : JSON.stringify(text);
  throw invalid(
    options,
    field.name,
    `metadata field "${field.name}" of component ${options.component} must be ${wanted}, not ${shown}`,
    cause,
    shown,
  );
}

function invalid(
  options: DecodeOptions,
  field: string,
  message: string,
  cause?: unknown,
  value?: string,
): ComponentError {
  const facts = { component: options.component, field, ...(value === undefined ? {} : { value }) };
  return new ComponentError("invalidMetadata", message, { ...(cause === undefined ? {} : { cause }), facts });
}

function warnUnknown(fields: readonly MetadataField[], given: Given, options: DecodeOptions): void {
  const names = fields.flatMap((field) => [field.name, ...(field.aliases ?? [])]);
  const known = new Set([...names, ...RUNTIME_FIELDS].map((name) => name.toLowerCase()));
  for (const [key, { name }] of given) {
    if (!known.has(key)) {
      const near = suggest(name, names);
      options.logger.warn(
        `component ${options.component} has no metadata field "${name}", it is ignored${near === undefined ? "" : `; did you mean "${near}"?`}`,
      );
    }
  }
}
