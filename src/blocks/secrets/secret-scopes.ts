/** What a Configuration says about the secrets of one store (`spec.secrets.scopes[]`). */
export interface SecretScopeRule {
  readonly storeName: string;
  readonly defaultAccess: "allow" | "deny";
  readonly allowedSecrets: readonly string[];
  readonly deniedSecrets: readonly string[];
}

/** Whether the app may see a secret, by store and name. */
export type SecretAccess = (store: string, secret: string) => boolean;

/** An allow list wins over the deny list and the default; a store without a rule is open. */
export function compileSecretAccess(rules: readonly SecretScopeRule[]): SecretAccess {
  const byStore = new Map(rules.map((rule) => [rule.storeName, compileRule(rule)]));
  return (store, secret) => byStore.get(store)?.(secret) ?? true;
}

function compileRule({ defaultAccess, allowedSecrets, deniedSecrets }: SecretScopeRule): (secret: string) => boolean {
  if (allowedSecrets.length > 0) {
    const allowed = new Set(allowedSecrets);
    return (secret) => allowed.has(secret);
  }
  const denied = new Set(deniedSecrets);
  return (secret) => !denied.has(secret) && defaultAccess === "allow";
}
