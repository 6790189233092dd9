import { resolve } from "node:path";
import { opaManifest } from "../../src/components/opa/manifest.ts";
import { middlewareConformance } from "./middleware.ts";

const policyPath = resolve(import.meta.dirname, "../../src/components/opa/testdata/policy.tar.gz");

middlewareConformance({
  manifest: opaManifest,
  metadata: () => ({ policyPath, readBody: "true" }),
  refused: { rego: "package http" },
  passing: () => ({ target: "/open" }),
  answered: { request: { target: "/shut" }, status: 403 },
});
