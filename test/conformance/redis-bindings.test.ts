import { redisBindingsManifest } from "../../src/components/redis/bindings-manifest.ts";
import { bindingsConformance } from "./bindings.ts";
import { withRedis } from "./redis.ts";

withRedis("bindings.redis", (deps, metadata) =>
  bindingsConformance({ manifest: redisBindingsManifest, deps, metadata, object: (name) => ({ key: name }) }),
);
