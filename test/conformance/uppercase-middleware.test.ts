import { uppercaseManifest } from "../../src/components/uppercase/manifest.ts";
import { middlewareConformance } from "./middleware.ts";

middlewareConformance({ manifest: uppercaseManifest, metadata: () => ({ direction: "both" }) });
