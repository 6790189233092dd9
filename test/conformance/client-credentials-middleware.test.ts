import { afterAll } from "vitest";
import { clientCredentialsManifest } from "../../src/components/oauth2/client-credentials-manifest.ts";
import { serve } from "../harness/pipeline.ts";
import { middlewareConformance } from "./middleware.ts";

const provider = await serve(() => ({ body: '{"access_token":"token","expires_in":3600}' }));
afterAll(() => provider[Symbol.asyncDispose]());

middlewareConformance({
  manifest: clientCredentialsManifest,
  metadata: () => ({
    headerName: "authorization",
    clientID: "me",
    clientSecret: "secret",
    scopes: "all",
    tokenURL: `${provider.url}/token`,
  }),
  refused: { headerName: "authorization" },
});
