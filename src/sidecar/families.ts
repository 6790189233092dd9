import type { ComponentManifest } from "../components/spi/component.ts";
import { echoManifest } from "../components/echo/manifest.ts";
import { openaiManifest } from "../components/openai/manifest.ts";
import { cryptoLocalStorageManifest } from "../components/crypto-local-storage/manifest.ts";
import { cronManifest } from "../components/cron/manifest.ts";
import { etcdStateManifest } from "../components/etcd/state-manifest.ts";
import { httpBindingManifest } from "../components/http-binding/manifest.ts";
import { inMemoryPubSubManifest } from "../components/in-memory/pubsub-manifest.ts";
import { inMemoryStateManifest } from "../components/in-memory/state-manifest.ts";
import { jwksManifest } from "../components/jwks/manifest.ts";
import { localEnvManifest } from "../components/local-env/manifest.ts";
import { localFileManifest } from "../components/local-file/manifest.ts";
import { postgresqlBindingsManifest } from "../components/postgresql/bindings-manifest.ts";
import { redisBindingsManifest } from "../components/redis/bindings-manifest.ts";
import { redisConfigurationManifest } from "../components/redis/configuration-manifest.ts";
import { redisLockManifest } from "../components/redis/lock-manifest.ts";
import { redisPubSubManifest } from "../components/redis/pubsub-manifest.ts";
import { redisStateManifest } from "../components/redis/state-manifest.ts";
import { sqliteConfigurationManifest } from "../components/sqlite/configuration-manifest.ts";
import { sqliteLockManifest } from "../components/sqlite/lock-manifest.ts";
import { sqlitePubSubManifest } from "../components/sqlite/pubsub-manifest.ts";
import { sqliteStateManifest } from "../components/sqlite/state-manifest.ts";
import { bearerManifest } from "../components/bearer/manifest.ts";
import { clientCredentialsManifest } from "../components/oauth2/client-credentials-manifest.ts";
import { oauth2Manifest } from "../components/oauth2/oauth2-manifest.ts";
import { httpWasmManifest } from "../components/http-wasm/manifest.ts";
import { opaManifest } from "../components/opa/manifest.ts";
import { rateLimitManifest } from "../components/rate-limit/manifest.ts";
import { routerAliasManifest } from "../components/router-alias/manifest.ts";
import { routerCheckerManifest } from "../components/router-checker/manifest.ts";
import { sentinelManifest } from "../components/sentinel/manifest.ts";
import { uppercaseManifest } from "../components/uppercase/manifest.ts";
import { localStorageManifest } from "../components/local-storage/manifest.ts";

/** Every component that resources can ask for. Back ends are imported on first use. */
export const COMPONENT_MANIFESTS: readonly ComponentManifest[] = [
  inMemoryStateManifest,
  sqliteStateManifest,
  sqlitePubSubManifest,
  sqliteConfigurationManifest,
  sqliteLockManifest,
  inMemoryPubSubManifest,
  redisStateManifest,
  etcdStateManifest,
  redisPubSubManifest,
  redisConfigurationManifest,
  redisLockManifest,
  redisBindingsManifest,
  postgresqlBindingsManifest,
  localFileManifest,
  localEnvManifest,
  cronManifest,
  httpBindingManifest,
  localStorageManifest,
  cryptoLocalStorageManifest,
  jwksManifest,
  echoManifest,
  openaiManifest,
  bearerManifest,
  clientCredentialsManifest,
  httpWasmManifest,
  oauth2Manifest,
  opaManifest,
  rateLimitManifest,
  routerAliasManifest,
  routerCheckerManifest,
  sentinelManifest,
  uppercaseManifest,
];
