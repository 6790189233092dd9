import { operationName } from "./access-control-list.ts";
import type { AccessControlDocument, AccessOperationDocument, AccessPolicyDocument, WrittenAt } from "./document.ts";
import { OperationTrie } from "./operation-trie.ts";

/** Something in `spec.accessControl` that does less, or other, than it seems to say. */
export interface AccessControlFinding {
  readonly origin: WrittenAt;
  readonly text: string;
}

/** Policies that Dapr would not start with. */
export class InvalidAccessControlError extends Error {
  override readonly name = "InvalidAccessControlError";
}

const VERB = /^(?:\*|GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)$/;
const ACTION = /^(?:allow|deny)$/i;

/**
 * Refuses policies that name no caller, and says what of the rest will surprise.
 *
 * @throws InvalidAccessControlError in Dapr's words, and with the place of every faulty policy
 */
export function checkAccessControl(document: AccessControlDocument, isHttp: boolean): AccessControlFinding[] {
  refuseNameless(document);
  const seen = new Map<string, WrittenAt>();
  return document.policies.flatMap((policy) => {
    const key = `${policy.appId} in namespace ${policy.namespace}`;
    const before = seen.get(key);
    seen.set(key, policy.origin);
    const replaced =
      before === undefined
        ? []
        : [finding(before, `the policy of ${key} is replaced by the one in line ${policy.origin.line}`)];
    return [...replaced, ...findingsOf(policy, isHttp)];
  });
}

function refuseNameless({ policies }: AccessControlDocument): void {
  const withoutName = policies.filter(({ appId }) => appId === "");
  const trustDomains = policies.filter(({ trustDomain }) => trustDomain === "");
  const namespaces = policies.filter(({ namespace }) => namespace === "");
  const faulty = policies.filter((each) => [withoutName, trustDomains, namespaces].some((list) => list.includes(each)));
  if (faulty.length === 0) {
    return;
  }
  const text =
    `invalid access control spec. missing trustdomain for apps: ${goList(trustDomains)}, ` +
    `missing namespace for apps: ${goList(namespaces)}, ` +
    `missing app name on at least one of the app policies: ${withoutName.length > 0}`;
  const places = faulty.map(({ origin, appId, trustDomain, namespace }) => {
    const missing = Object.entries({ appId, trustDomain, namespace }).flatMap(([field, value]) =>
      value === "" ? [field] : [],
    );
    return `${origin.file}:${origin.line}: ${missing.join(", ")}`;
  });
  throw new InvalidAccessControlError(`${text} (what is missing where: ${places.join("; ")})`);
}

function goList(policies: readonly AccessPolicyDocument[]): string {
  return `[${policies.map(({ appId }) => appId).join(" ")}]`;
}

function findingsOf(policy: AccessPolicyDocument, isHttp: boolean): AccessControlFinding[] {
  const entered = new OperationTrie<AccessOperationDocument>();
  const names = policy.operations.map((operation) => operationName(operation.name, isHttp));
  const repeated = policy.operations.map((operation, index) => entered.put(names[index] ?? "", operation));
  const ofDefault = policy.defaultAction === "" ? [] : actionFindings(policy.defaultAction, policy.origin);
  const ofOperations = policy.operations.flatMap((operation, index) => {
    const name = names[index] ?? "";
    const { origin } = operation;
    const decided = repeated[index] ?? entered.find(name);
    return [
      ...actionFindings(operation.action, origin),
      ...(isHttp ? verbFindings(operation) : []),
      ...starFindings(name, origin),
      ...(decided === undefined || decided === operation
        ? []
        : [
            finding(
              origin,
              `operation ${name} does not decide about its own path: ${decided.name} in line ${decided.origin.line} is found first`,
            ),
          ]),
    ];
  });
  return [...ofDefault, ...ofOperations];
}

function actionFindings(action: string, origin: WrittenAt): AccessControlFinding[] {
  return ACTION.test(action) ? [] : [finding(origin, `action "${action}" is neither allow nor deny, and denies`)];
}

function verbFindings({ httpVerbs, name, origin }: AccessOperationDocument): AccessControlFinding[] {
  if (httpVerbs.length === 0) {
    return [
      finding(
        origin,
        `operation ${name} lists no httpVerb, so it decides about no call of an HTTP app; ["*"] is all of them`,
      ),
    ];
  }
  return httpVerbs
    .filter((verb) => !VERB.test(verb))
    .map((verb) => finding(origin, `httpVerb "${verb}" is none that a call can have; verbs are written in upper case`));
}

function starFindings(name: string, origin: WrittenAt): AccessControlFinding[] {
  const before = name.split("/").slice(1, -1);
  return [
    ...(before.includes("*")
      ? [
          finding(
            origin,
            `operation ${name}: "*" before the end of a name matches no segment; "**" there matches any one`,
          ),
        ]
      : []),
    ...(before.includes("**")
      ? [finding(origin, `operation ${name}: "**" before the end of a name matches exactly one segment`)]
      : []),
  ];
}

function finding(origin: WrittenAt, text: string): AccessControlFinding {
  return { origin, text };
}
