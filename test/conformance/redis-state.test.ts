import { redisStateManifest } from "../../src/components/redis/state-manifest.ts";
import { withRedis } from "./redis.ts";
import { stateConformance } from "./state.ts";

withRedis("state.redis", (deps, metadata, elapse) =>
  stateConformance({ manifest: redisStateManifest, deps, metadata, elapse }),
);
