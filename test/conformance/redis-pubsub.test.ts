import { redisPubSubManifest } from "../../src/components/redis/pubsub-manifest.ts";
import { pubsubConformance } from "./pubsub.ts";
import { withRedis } from "./redis.ts";

withRedis("pubsub.redis", (deps, metadata) =>
  pubsubConformance({
    manifest: redisPubSubManifest,
    deps,
    // Long enough that a machine that stops us does not make Redis deliver a message to another consumer as well.
    metadata: { ...metadata, processingTimeout: "2s", redeliverInterval: "100ms" },
    behaviours: ["redelivery", "competing consumers", "durability"],
  }),
);
