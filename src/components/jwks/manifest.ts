import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { CryptoProvider } from "../spi/crypto.ts";

export const jwksFields = [
  {
    name: "jwks",
    kind: "string",
    required: true,
    sensitive: true,
    missingText: "failed to load metadata: metadata property 'jwks' is required",
    description:
      "The key set (RFC 7517): its JSON, as it is or as base64, the path of a file with it, or an http or https URL that gives it. A key's name is its `kid`.",
  },
  {
    name: "requestTimeout",
    kind: "duration",
    default: "30s",
    description: "How long fetching the set from a URL may take; less than 1ms stands for the default.",
  },
  {
    name: "minRefreshInterval",
    kind: "duration",
    default: "10m",
    description:
      "How often the set is fetched again from a URL, unless its answer may be kept for longer (`Cache-Control: max-age`, `Expires`); less than 1s stands for the default.",
  },
] as const satisfies readonly MetadataField[];

/** `crypto.dapr.jwks`: the keys of a JWK set, from the manifest, a file or a URL. */
export const jwksManifest: ComponentManifest<CryptoProvider> = {
  family: "crypto",
  type: "crypto.dapr.jwks",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: jwksFields,
  load: async () => (await import("./provider.ts")).createJwks,
};
