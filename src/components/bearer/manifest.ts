import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const bearerFields = [
  {
    name: "issuer",
    kind: "string",
    required: true,
    aliases: ["issuerURL"],
    missingText: "metadata property 'issuer' is required",
    description: "Who must have issued the tokens (`iss`), an URL.",
  },
  {
    name: "audience",
    kind: "string",
    required: true,
    aliases: ["clientID"],
    missingText: "metadata property 'audience' is required",
    description: "Whom the tokens must be for (`aud`), usually a client id.",
  },
  {
    name: "jwksURL",
    kind: "string",
    description:
      "Where the issuer's keys are. Absent: the OpenID configuration of the issuer (`<issuer>/.well-known/openid-configuration`) says it.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.bearer`: lets requests with a valid token of one issuer pass. */
export const bearerManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.bearer",
  versions: [{ version: "v1", stability: "stable" }],
  capabilities: [],
  metadata: bearerFields,
  load: async () => (await import("./middleware.ts")).createBearer,
};
