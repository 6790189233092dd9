import { jsonToGoText } from "./json-value.ts";
import { nameValuePairs } from "./name-value-pair.ts";
import { objectFields, toResource } from "./object.ts";
import type { NameValuePair, Resource, SecretKeyRef } from "./resource.ts";
import { json, struct, text } from "./shape.ts";
import type { Shape, StructOf } from "./shape.ts";

/** A PEM document, written in place or kept in a secret store. */
export interface TlsDocument {
  readonly value: string | undefined;
  readonly secretKeyRef: SecretKeyRef | undefined;
}

/** `kind: HTTPEndpoint` (compatibility.md 4.5). */
export interface HttpEndpointResource extends Resource {
  /** Empty: none was written, which makes the endpoint useless. */
  readonly baseUrl: string;
  readonly headers: readonly NameValuePair[];
  readonly clientTls:
    | {
        readonly rootCa: TlsDocument | undefined;
        readonly certificate: TlsDocument | undefined;
        readonly privateKey: TlsDocument | undefined;
        /** `Never`, `OnceAsClient` or `FreelyAsClient`; empty: none was written. */
        readonly renegotiation: string;
      }
    | undefined;
  /** `auth.secretStore`; empty: none was written. */
  readonly secretStore: string;
  /** `name (baseUrl)`, for log lines and errors. */
  readonly logName: string;
}

const documentFields = { value: json, secretKeyRef: struct({ name: text, key: text }) } as const;
const document = struct(documentFields);

const shape = struct({
  ...objectFields,
  spec: struct({
    // Dapr's own examples write it, and nothing reads it.
    version: text,
    baseUrl: text,
    headers: nameValuePairs,
    clientTLS: struct({ rootCA: document, certificate: document, privateKey: document, renegotiation: text }),
  }),
  auth: struct({ secretStore: text }),
});

export const httpEndpoint: Shape<HttpEndpointResource> = (node, reading, path) => {
  const written = shape(node, reading, path);
  const resource = toResource(written, node);
  const tls = written.spec?.clientTLS;
  const baseUrl = written.spec?.baseUrl ?? "";
  return {
    ...resource,
    baseUrl,
    headers: written.spec?.headers ?? [],
    clientTls: tls && {
      rootCa: toDocument(tls.rootCA),
      certificate: toDocument(tls.certificate),
      privateKey: toDocument(tls.privateKey),
      renegotiation: tls.renegotiation ?? "",
    },
    secretStore: written.auth?.secretStore ?? "",
    logName: `${resource.name} (${baseUrl})`,
  };
};

function toDocument(written: StructOf<typeof documentFields> | undefined): TlsDocument | undefined {
  if (written === undefined) {
    return undefined;
  }
  const { value, secretKeyRef } = written;
  const secretName = secretKeyRef?.name ?? "";
  return {
    value: value === undefined ? undefined : typeof value === "string" ? value : jsonToGoText(value),
    secretKeyRef: secretName === "" ? undefined : { name: secretName, key: secretKeyRef?.key || secretName },
  };
}
