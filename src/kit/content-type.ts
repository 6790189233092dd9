/** Media types that the pub/sub rules tell apart. Parameters after `;` and letter case do not matter. */
export const CLOUD_EVENT_CONTENT_TYPE = "application/cloudevents+json";
export const JSON_CONTENT_TYPE = "application/json";
export const OCTET_STREAM_CONTENT_TYPE = "application/octet-stream";

export function isCloudEventContentType(contentType: string): boolean {
  return isContentType(contentType, CLOUD_EVENT_CONTENT_TYPE);
}

export function isJsonContentType(contentType: string): boolean {
  return isContentType(contentType, JSON_CONTENT_TYPE);
}

/** `text/…` and XML: carried as a string. */
export function isTextContentType(contentType: string): boolean {
  return contentType.slice(0, 5).toLowerCase() === "text/" || isContentType(contentType, "application/xml");
}

export function isBinaryContentType(contentType: string): boolean {
  return isContentType(contentType, OCTET_STREAM_CONTENT_TYPE);
}

/**
 * Protobuf, with or without CloudEvents' own type. Dapr looks into plain protobuf and makes a string of what is no
 * CloudEvent, which loses bytes; we keep it binary.
 */
export function isProtobufContentType(contentType: string): boolean {
  return (
    isContentType(contentType, "application/cloudevents+protobuf") ||
    isContentType(contentType, "application/x-protobuf")
  );
}

function isContentType(contentType: string, expected: string): boolean {
  if (contentType === expected) {
    return true;
  }
  if (contentType.length < expected.length) {
    return false;
  }
  const parameters = contentType.indexOf(";");
  const bare = parameters === -1 ? contentType : contentType.slice(0, parameters);
  return bare.toLowerCase() === expected;
}
