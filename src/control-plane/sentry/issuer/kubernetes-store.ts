import { basename } from "node:path";
import type { Clock } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { KubernetesClient } from "../../../kubernetes/client.ts";
import { CONFIG_MAPS, type ConfigMap, type Secret, SECRETS } from "../../../kubernetes/objects.ts";
import { verifyJwt } from "../jwt/jwt-bundle.ts";
import { type IssuerBundle, verifyIssuer } from "./bundle.ts";
import type { CredentialNames, CredentialStore } from "./credential-store.ts";

/** The secret with everything, and the config map with what everybody may read: the trust anchors and the JWTs' keys. */
const TRUST_BUNDLE = "dapr-trust-bundle";

/** Credentials in a secret of Kubernetes (`pkg/sentry/server/ca/kube.go`), which must exist. @param files their base names are its keys */
export function kubernetesStore(
  client: KubernetesClient,
  namespace: string,
  files: CredentialNames,
  keyId: string | undefined,
  clock: Clock,
): CredentialStore {
  const names = baseNames(files);
  const where = { namespace, name: TRUST_BUNDLE };
  const getSecret = () => named("failed to get trust bundle secret", client.get<Secret>(SECRETS, where));
  const getConfigMap = () => named("failed to get trust bundle configmap", client.get<ConfigMap>(CONFIG_MAPS, where));
  return {
    description: "kubernetes secret store",
    load: async () => {
      const secret = await getSecret();
      const published = (await getConfigMap()).data?.[names.trustAnchors];
      return { issuer: issuerOf(secret, published, names, clock), jwt: jwtOf(secret, names, keyId) };
    },
    save: async ({ issuer, jwt }) => {
      const secret = await getSecret();
      const data: Record<string, string> = {
        ...secret.data,
        [names.trustAnchors]: base64(issuer.trustAnchorsPem),
        [names.chain]: base64(issuer.chainPem),
        [names.key]: base64(issuer.keyPem),
      };
      if (jwt !== undefined) {
        data[names.jwtKey] = base64(jwt.keyPem);
        data[names.jwks] = base64(jwt.jwksJson);
      }
      await named("failed to update trust bundle secret", client.update(SECRETS, { ...secret, data }));
      const configMap = await getConfigMap();
      const kept = Object.entries(configMap.data ?? {}).filter(([key]) => key !== names.jwks);
      await named(
        "failed to update trust bundle configmap",
        client.update(CONFIG_MAPS, {
          ...configMap,
          data: {
            ...Object.fromEntries(kept),
            [names.trustAnchors]: issuer.trustAnchorsPem,
            ...(jwt === undefined ? {} : { [names.jwks]: jwt.jwksJson }),
          },
        }),
      );
    },
  };
}

/** Anchors that the config map does not have, or has otherwise, are made anew, as in Dapr. */
function issuerOf(
  secret: Secret,
  published: string | undefined,
  names: CredentialNames,
  clock: Clock,
): IssuerBundle | undefined {
  const trustAnchors = textOf(secret, names.trustAnchors);
  const chain = textOf(secret, names.chain);
  const key = textOf(secret, names.key);
  if (trustAnchors === undefined || chain === undefined || key === undefined || published !== trustAnchors) {
    return undefined;
  }
  try {
    return verifyIssuer(
      {
        trustAnchors: { text: trustAnchors, place: placeOf(names.trustAnchors) },
        chain: { text: chain, place: placeOf(names.chain) },
        key: { text: key, place: placeOf(names.key) },
      },
      clock,
    );
  } catch (cause) {
    throw new Error(`failed to verify CA bundle: ${errorMessage(cause)}`, { cause });
  }
}

function jwtOf(secret: Secret, names: CredentialNames, keyId: string | undefined) {
  const key = textOf(secret, names.jwtKey);
  const jwks = textOf(secret, names.jwks);
  return key === undefined || jwks === undefined
    ? undefined
    : verifyJwt(
        { key: { text: key, place: placeOf(names.jwtKey) }, jwks: { text: jwks, place: placeOf(names.jwks) } },
        keyId,
      );
}

function baseNames(files: CredentialNames): CredentialNames {
  return {
    trustAnchors: basename(files.trustAnchors),
    chain: basename(files.chain),
    key: basename(files.key),
    jwtKey: basename(files.jwtKey),
    jwks: basename(files.jwks),
  };
}

function placeOf(key: string): string {
  return `secret ${TRUST_BUNDLE}, ${key}`;
}

function textOf({ data }: Secret, key: string): string | undefined {
  const value = data?.[key];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

async function named<T>(complaint: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    throw new Error(`${complaint}: ${errorMessage(cause)}`, { cause });
  }
}
