import type { Binding } from "../spi/bindings.ts";
import type { ComponentManifest, MetadataField } from "../spi/component.ts";

export const httpBindingFields = [
  {
    name: "url",
    kind: "string",
    required: true,
    description: "Base URL that requests go to; request metadata `path` is put behind it.",
  },
  { name: "responseTimeout", kind: "duration", description: "How long a request may take, its answer included." },
  {
    name: "maxResponseBodySize",
    kind: "quantity",
    default: "104857600",
    description: "Bytes of an answer that are read; 0 or less for no limit.",
  },
  {
    name: "errorIfNot2XX",
    kind: "boolean",
    default: "true",
    description: "Whether an answer with another status than 2xx is an error.",
  },
  {
    name: "securityToken",
    kind: "string",
    sensitive: true,
    description: "Token sent with every request, in the header that securityTokenHeader names.",
  },
  { name: "securityTokenHeader", kind: "string", description: "Header of the security token." },
  { name: "MTLSRootCA", kind: "string", description: "Certificate to trust, PEM text or the path of a file." },
  { name: "MTLSClientCert", kind: "string", description: "Our certificate, PEM text or the path of a file." },
  { name: "MTLSClientKey", kind: "string", sensitive: true, description: "Its key, PEM text or the path of a file." },
  {
    name: "MTLSRenegotiation",
    kind: "string",
    description:
      "RenegotiateNever, RenegotiateOnceAsClient or RenegotiateFreelyAsClient; only the first changes nothing here, since Node allows no renegotiation by the server to be chosen.",
  },
] as const satisfies readonly MetadataField[];

/** `bindings.http`: requests to one HTTP server. */
export const httpBindingManifest: ComponentManifest<Binding> = {
  family: "bindings",
  type: "bindings.http",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: ["OUTPUT_BINDING"],
  metadata: httpBindingFields,
  load: async () => (await import("./binding.ts")).createHttpBinding,
};
