import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { CryptoProvider } from "../spi/crypto.ts";

export const cryptoLocalStorageFields = [
  {
    name: "path",
    kind: "string",
    required: true,
    missingText: "failed to load metadata: metadata property 'path' is required",
    description:
      "Folder with one key in each file; a key's name is its file's, below the folder. `.pem` is PEM, `.json` a JWK; of other files the content tells: PEM, a JWK, or a symmetric key, raw or as base64.",
  },
] as const satisfies readonly MetadataField[];

/** `crypto.dapr.localstorage`: keys in files of a local folder. */
export const cryptoLocalStorageManifest: ComponentManifest<CryptoProvider> = {
  family: "crypto",
  type: "crypto.dapr.localstorage",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: cryptoLocalStorageFields,
  load: async () => (await import("./provider.ts")).createCryptoLocalStorage,
};
