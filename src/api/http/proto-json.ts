import {
  create,
  createRegistry,
  type DescMessage,
  fromJson,
  fromJsonString,
  type JsonObject,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { type ApiError, apiError } from "../../errors/error.ts";
import { errorMessage } from "../../kit/error-message.ts";

/** What a `google.protobuf.Any` may hold for its JSON to be known: the types that come with protobuf. */
export const WELL_KNOWN_TYPES: Registry = createRegistry(
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
);

/**
 * A request's body as protobuf JSON, with unknown fields passed over; an empty body is an empty message, as in Dapr.
 *
 * @param registry types that `google.protobuf.Any` may hold
 * @throws ApiError ERR_MALFORMED_REQUEST
 */
export function decodeProtoJson<D extends DescMessage>(
  schema: D,
  body: Uint8Array,
  registry?: Registry,
): MessageShape<D> {
  if (body.byteLength === 0) {
    return create(schema);
  }
  try {
    return fromJsonString(schema, Buffer.from(body).toString(), {
      ignoreUnknownFields: true,
      ...(registry === undefined ? {} : { registry }),
    });
  } catch (cause) {
    throw malformed(cause);
  }
}

/** The same of a body that has been parsed. @throws ApiError ERR_MALFORMED_REQUEST */
export function decodeParsedProtoJson<D extends DescMessage>(schema: D, parsed: JsonObject): MessageShape<D> {
  try {
    return fromJson(schema, parsed, { ignoreUnknownFields: true });
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): ApiError {
  return apiError(commonErrors.malformedRequest, { reason: errorMessage(cause) }, { cause });
}
