import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { AccessControlDocument, AccessPolicyDocument, WrittenAt } from "./document.ts";
import { goLowerCase } from "./go-lower-case.ts";
import { OperationTrie } from "./operation-trie.ts";

/** What decided about a call, for people. */
export interface AccessRule {
  /** `operation /orders/* of policy shop, verb GET` */
  readonly text: string;
  /** Undefined: nobody wrote it. */
  readonly origin: WrittenAt | undefined;
}

/** The answer to one call; made when the list is, never for a call. */
export interface AccessVerdict {
  readonly allowed: boolean;
  /** Whose default counts for the caller: its policy's own or the list's. Metrics tell them apart. */
  readonly level: "app" | "global";
  readonly rule: AccessRule;
}

/** What an operation says about a call that has found it. */
interface CompiledOperation {
  /** Of apps that speak gRPC. */
  readonly verdict: AccessVerdict;
  readonly byVerb: ReadonlyMap<string, AccessVerdict>;
  readonly otherVerbs: AccessVerdict | undefined;
}

interface CompiledPolicy {
  readonly trustDomain: string;
  readonly operations: OperationTrie<CompiledOperation>;
  readonly otherwise: AccessVerdict;
  /** Of a call of an HTTP app that has found an operation and says no verb. */
  readonly withoutVerb: AccessVerdict;
}

/** How a call without an HTTP verb says so. */
export const NO_VERB = "NONE";

/** Who may call what of one app (pkg/acl of Dapr 1.18.3), compiled. It knows nothing of how paths can be written. */
export class AccessControlList {
  /** Verbs and lower case count for apps that speak HTTP only. */
  readonly isHttp: boolean;
  /** There is no policy: callers make no difference. */
  readonly isUniform: boolean;
  readonly #global: AccessVerdict;
  /** By app id and namespace. */
  readonly #policies = new Map<string, Map<string, CompiledPolicy>>();

  /**
   * @param document checked by `checkAccessControl`
   * @param isHttp how the app is spoken to: `http`, `https` or `h2c`
   * @param origin of the section; undefined: nobody wrote one
   */
  constructor(document: AccessControlDocument, isHttp: boolean, origin?: WrittenAt) {
    this.isHttp = isHttp;
    this.isUniform = document.policies.length === 0;
    this.#global = globalVerdict(document, origin);
    for (const policy of document.policies) {
      const ofApp = this.#policies.get(policy.appId) ?? new Map<string, CompiledPolicy>();
      this.#policies.set(policy.appId, ofApp);
      ofApp.set(policy.namespace, compilePolicy(policy, this.#global, isHttp));
    }
  }

  /**
   * @param caller as its certificate proves; undefined without mutual TLS: the list's default action
   * @param operation the canonical path of the method
   * @param verb in upper case, or `NONE`
   */
  check(caller: SpiffeId | undefined, operation: string, verb: string): AccessVerdict {
    const policy = caller === undefined ? undefined : this.#policies.get(caller.appId)?.get(caller.namespace);
    if (policy === undefined || policy.trustDomain !== caller?.trustDomain) {
      return this.#global;
    }
    const found = policy.operations.find(operationName(operation, this.isHttp));
    if (found === undefined) {
      return policy.otherwise;
    }
    if (!this.isHttp) {
      return found.verdict;
    }
    return verb === NO_VERB ? policy.withoutVerb : (found.byVerb.get(verb) ?? found.otherVerbs ?? policy.otherwise);
  }
}

/** How operations are entered and looked up. */
export function operationName(operation: string, isHttp: boolean): string {
  const rooted = operation.startsWith("/") ? operation : `/${operation}`;
  return isHttp ? goLowerCase(rooted) : rooted;
}

/** Dapr reads every action but this one as a refusal. */
export function isAllow(action: string): boolean {
  return goLowerCase(action) === "allow";
}

function globalVerdict(document: AccessControlDocument, origin: WrittenAt | undefined): AccessVerdict {
  const allowed = isAllow(document.defaultAction);
  const text = `the default action, ${allowed ? "allow" : "deny"}`;
  return { allowed, level: "global", rule: { text, origin } };
}

function compilePolicy(policy: AccessPolicyDocument, global: AccessVerdict, isHttp: boolean): CompiledPolicy {
  const { appId, defaultAction, trustDomain, origin } = policy;
  const level = defaultAction === "" ? "global" : "app";
  const verdict = (action: string, text: string, from: WrittenAt): AccessVerdict => ({
    allowed: isAllow(action),
    level,
    rule: { text: `${text} of policy ${appId}`, origin: from },
  });
  const operations = new OperationTrie<CompiledOperation>();
  for (const operation of policy.operations) {
    const name = operationName(operation.name, isHttp);
    const { action, httpVerbs } = operation;
    operations.put(name, {
      verdict: verdict(action, `operation ${name}`, operation.origin),
      byVerb: new Map(
        httpVerbs.map((verb) => [verb, verdict(action, `operation ${name} with verb ${verb}`, operation.origin)]),
      ),
      otherVerbs: httpVerbs.includes("*")
        ? verdict(action, `operation ${name} with any verb`, operation.origin)
        : undefined,
    });
  }
  return {
    trustDomain,
    operations,
    otherwise: level === "global" ? global : verdict(defaultAction, "the default action", origin),
    withoutVerb: verdict(defaultAction, "the default action", origin),
  };
}
