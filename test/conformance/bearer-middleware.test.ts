import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll } from "vitest";
import { bearerManifest } from "../../src/components/bearer/manifest.ts";
import { serve } from "../harness/pipeline.ts";
import { middlewareConformance } from "./middleware.ts";

const pair = await generateKeyPair("ES256");
const keys = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: "one" }] });
const provider = await serve(() => ({ body: keys }));
afterAll(() => provider[Symbol.asyncDispose]());
const token = await new SignJWT({ iss: "https://idp.test", aud: "shop" })
  .setProtectedHeader({ alg: "ES256", kid: "one" })
  .sign(pair.privateKey);

middlewareConformance({
  manifest: bearerManifest,
  metadata: () => ({ issuer: "https://idp.test", audience: "shop", jwksURL: provider.url }),
  refused: { issuer: "https://idp.test" },
  passing: () => ({ headers: ["authorization", `Bearer ${token}`] }),
  answered: { request: { headers: [] }, status: 401 },
});
