/** One entry of `spec.api.allowed` or `spec.api.denied`. */
export interface ApiAccessRule {
  readonly name: string;
  readonly version: string;
  /** `http` or `grpc`; a rule with any other value, or none, applies to neither. */
  readonly protocol: string;
}

/** The allow and deny lists of the Configuration. */
export interface ApiAccessRules {
  readonly allowed: readonly ApiAccessRule[];
  readonly denied: readonly ApiAccessRule[];
}

/**
 * Decides once per API, at registration, whether it is served. The deny list wins; an empty allow list allows all.
 * `matches` says whether a rule names the API; it sees the rule's name and version.
 */
export function isApiAllowed(
  rules: ApiAccessRules,
  protocol: "http" | "grpc",
  matches: (rule: ApiAccessRule) => boolean,
): boolean {
  const applies = (rule: ApiAccessRule): boolean => rule.protocol.toLowerCase() === protocol;
  const denied = rules.denied.filter(applies);
  const allowed = rules.allowed.filter(applies);
  return !denied.some(matches) && (allowed.length === 0 || allowed.some(matches));
}
