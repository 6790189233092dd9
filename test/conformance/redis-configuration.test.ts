import { redisConfigurationManifest } from "../../src/components/redis/configuration-manifest.ts";
import { configurationConformance } from "./configuration.ts";
import { withRedis } from "./redis.ts";

withRedis("configuration.redis", (deps, metadata, _elapse, server) =>
  configurationConformance({
    manifest: redisConfigurationManifest,
    deps,
    metadata,
    put: async (key, value, version) => void (await server.command("SET", key, `${value}||${version}`)),
    remove: async (key) => void (await server.command("DEL", key)),
  }),
);
