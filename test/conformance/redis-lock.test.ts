import { redisLockManifest } from "../../src/components/redis/lock-manifest.ts";
import { lockConformance } from "./lock.ts";
import { withRedis } from "./redis.ts";

withRedis("lock.redis", (deps, metadata, elapse) =>
  lockConformance({ manifest: redisLockManifest, deps, metadata, elapse }),
);
