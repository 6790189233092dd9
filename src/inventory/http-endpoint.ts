import type { HttpEndpointResource, TlsDocument } from "../resources/http-endpoint.ts";
import type { NameValuePair } from "../resources/resource.ts";
import { type ReferencedMetadata, resolveReferences, type ResolverOptions } from "./metadata-resolver.ts";

/** An HTTPEndpoint with its references looked up. */
export interface HttpEndpoint {
  readonly name: string;
  readonly baseUrl: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Undefined: the resource has no `clientTLS`. */
  readonly tls: HttpEndpointTls | undefined;
}

/** PEM documents; undefined: none was written, or its secret was not found. */
export interface HttpEndpointTls {
  readonly rootCa: string | undefined;
  readonly certificate: string | undefined;
  readonly privateKey: string | undefined;
  /** `Never`, `OnceAsClient`, `FreelyAsClient` or empty. */
  readonly renegotiation: string;
}

type Writing = Pick<HttpEndpointResource, "name" | "namespace" | "secretStore">;

/**
 * Looks up the headers and certificates of an endpoint that stand in secrets or environment variables. Endpoints load
 * after all secret stores; what is not found is logged and stays empty, as in Dapr, so that the endpoint refuses the call
 * rather than the sidecar the start.
 */
export async function resolveHttpEndpoint(
  resource: HttpEndpointResource,
  options: ResolverOptions,
): Promise<HttpEndpoint> {
  const { name, baseUrl, clientTls } = resource;
  const headers = await resolvePairs(resource, resource.headers, options);
  if (clientTls === undefined) {
    return { name, baseUrl, headers, tls: undefined };
  }
  const rootCa = pairOf("rootCA", clientTls.rootCa);
  const certificate = pairOf("certificate", clientTls.certificate);
  const privateKey = pairOf("privateKey", clientTls.privateKey);
  const pairs = [rootCa, certificate, privateKey].filter((pair) => pair !== undefined);
  const found = new Map((await resolvePairs(resource, pairs, options)).map((pair) => [pair.name, pair.value]));
  const documentOf = (key: string): string | undefined => (found.get(key) === "" ? undefined : found.get(key));
  return {
    name,
    baseUrl,
    headers,
    tls: {
      rootCa: documentOf("rootCA"),
      certificate: documentOf("certificate"),
      privateKey: documentOf("privateKey"),
      renegotiation: clientTls.renegotiation,
    },
  };
}

function pairOf(name: string, document: TlsDocument | undefined): NameValuePair | undefined {
  return document && { name, value: document.value, secretKeyRef: document.secretKeyRef, envRef: "" };
}

/** Without its secret store everything written in place still counts. */
async function resolvePairs(
  { name, namespace, secretStore }: Writing,
  metadata: readonly NameValuePair[],
  options: ResolverOptions,
): Promise<ReferencedMetadata["values"]> {
  const resource = { kind: "HTTPEndpoint", name, namespace, secretStore, metadata };
  const referenced = await resolveReferences(resource, options);
  return "values" in referenced
    ? referenced.values
    : metadata.map((pair) => ({ name: pair.name, value: pair.value ?? "" }));
}
