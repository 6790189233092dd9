import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const oauth2Fields = [
  { name: "clientID", kind: "string", default: "", description: "Our id at the identity provider." },
  { name: "clientSecret", kind: "string", default: "", sensitive: true, description: "Our secret there." },
  { name: "scopes", kind: "string", default: "", description: "What is asked for, comma-separated." },
  { name: "authURL", kind: "string", default: "", description: "Page of the provider where people sign in." },
  {
    name: "tokenURL",
    kind: "string",
    default: "",
    description: "Endpoint of the provider that gives tokens for codes.",
  },
  {
    name: "redirectURL",
    kind: "string",
    default: "",
    description: "Where the provider sends people back to: a URL that leads through this middleware.",
  },
  {
    name: "authHeaderName",
    kind: "string",
    default: "Authorization",
    description: "Header of the request that the token is put into, in place of any other of that name.",
  },
  {
    name: "forceHTTPS",
    kind: "boolean",
    default: "false",
    description:
      "After signing in, go back to the first page over https, and send the session's cookie over https only.",
  },
  {
    name: "pathFilter",
    kind: "string",
    description: "Pattern (Go's syntax) of the paths that need signing in. Absent: all do.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.oauth2`: people sign in at an identity provider (OAuth 2.0 with an authorization code). */
export const oauth2Manifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.oauth2",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: oauth2Fields,
  load: async () => (await import("./oauth2.ts")).createOAuth2,
};
