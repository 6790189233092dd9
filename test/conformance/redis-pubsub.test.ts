import { redisPubSubManifest } from "../../src/components/redis/pubsub-manifest.ts";
import { pubsubConformance } from "./pubsub.ts";
import { withRedis } from "./redis.ts";

withRedis("pubsub.redis", (deps, metadata) =>
  pubsubConformance({
    manifest: redisPubSubManifest,
    deps,
    metadata: { ...metadata, processingTimeout: "500ms", redeliverInterval: "100ms" },
    behaviours: ["redelivery", "competing consumers", "durability"],
  }),
);
