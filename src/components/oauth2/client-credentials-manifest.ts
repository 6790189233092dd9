import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const clientCredentialsFields = [
  {
    name: "headerName",
    kind: "string",
    default: "",
    description: "Header of the request that the token is put into, in place of any other of that name; required.",
  },
  { name: "clientID", kind: "string", default: "", description: "Our id at the identity provider; required." },
  { name: "clientSecret", kind: "string", default: "", sensitive: true, description: "Our secret there; required." },
  { name: "scopes", kind: "string", default: "", description: "What is asked for, comma-separated; required." },
  {
    name: "tokenURL",
    kind: "string",
    default: "",
    description: "Endpoint of the provider that gives tokens; required.",
  },
  {
    name: "endpointParamsQuery",
    kind: "string",
    default: "",
    description: "More parameters for that endpoint, as a query (`a=1&b=2`).",
  },
  {
    name: "authStyle",
    kind: "integer",
    default: "0",
    description:
      "How id and secret are sent: 1 in the body, 2 as Basic credentials, 0 tries the second, then the first.",
  },
  {
    name: "pathFilter",
    kind: "string",
    description: "Pattern (Go's syntax) of the paths that get a token. Absent: all do.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.oauth2clientcredentials`: requests get a token that is ours (OAuth 2.0 client credentials). */
export const clientCredentialsManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.oauth2clientcredentials",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: clientCredentialsFields,
  load: async () => (await import("./client-credentials.ts")).createClientCredentials,
};
