import type { ComponentManifest, MetadataField } from "../spi/component.ts";
import type { HttpMiddleware } from "../spi/middleware.ts";

export const httpWasmFields = [
  {
    name: "url",
    kind: "string",
    required: true,
    missingText: "wasm: failed to parse metadata: missing url",
    description: "Where the guest is: `file://` and a path, or an http or https URL of a WebAssembly module.",
  },
  { name: "guestConfig", kind: "string", default: "", description: "Text that the guest can read." },
  {
    name: "strictSandbox",
    kind: "boolean",
    default: "false",
    description:
      "The guest gets neither a real clock nor real randomness. `spec.wasm.strictSandbox` of the Configuration sets it for all guests.",
  },
  {
    name: "maxInstances",
    kind: "integer",
    default: "16",
    description:
      "Instances of the guest, each with a thread of its own and one request at a time; further requests wait.",
  },
] as const satisfies readonly MetadataField[];

/** `middleware.http.wasm`: a guest that speaks http-wasm (https://http-wasm.io/http-handler-abi) handles requests. */
export const httpWasmManifest: ComponentManifest<HttpMiddleware> = {
  family: "middleware",
  type: "middleware.http.wasm",
  versions: [{ version: "v1", stability: "alpha" }],
  capabilities: [],
  metadata: httpWasmFields,
  load: async () => (await import("./middleware.ts")).createHttpWasm,
};
