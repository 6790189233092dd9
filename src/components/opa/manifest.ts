import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const opaFields = [
  {
    name: "policyPath",
    kind: "string",
    description:
      "File of the compiled policy: what `opa build -t wasm` writes (`bundle.tar.gz`), or the `policy.wasm` in it.",
  },
  { name: "policyBase64", kind: "string", description: "The same in base64, in place of a file." },
  {
    name: "entrypoint",
    kind: "string",
    default: "http/allow",
    description: "The rule that decides, as it was given to `opa build -e`.",
  },
  {
    name: "rego",
    kind: "string",
    description:
      "Dapr's field for the policy's source, which is not evaluated here: with neither policyPath nor policyBase64 the component does not start.",
  },
  {
    name: "defaultStatus",
    kind: "integer",
    default: "403",
    description: "Status of refusals that name none (100 to 599).",
  },
  {
    name: "includedHeaders",
    kind: "string",
    default: "",
    description: "Headers that the policy gets to see, comma-separated; none by default.",
  },
  {
    name: "readBody",
    kind: "boolean",
    default: "false",
    description: "The policy gets to see the body, which is then held whole, up to the sidecar's limit for bodies.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.opa`: a compiled Open Policy Agent policy decides who passes. */
export const opaManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.opa",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: opaFields,
  load: async () => (await import("./middleware.ts")).createOpa,
};
