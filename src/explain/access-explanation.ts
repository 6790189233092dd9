import { verdictOn } from "../blocks/invocation/access-check.ts";
import { canonicalInvocation } from "../blocks/invocation/method-path.ts";
import type { InvocationTarget } from "../mesh/target.ts";
import { AccessControlList, NO_VERB } from "../security/access-control/access-control-list.ts";
import type { Explanation } from "./explanation.ts";
import type { Project } from "./project.ts";

/** The method that is asked about. */
export interface AskedMethod {
  readonly method: string;
  /** As the caller writes it; empty: none. */
  readonly verb: string;
  /** How the called app is spoken to. */
  readonly isHttp: boolean;
}

/** The trust domain of apps outside Kubernetes. */
const TRUST_DOMAIN = "public";

/**
 * What the called app's access control says, if it has the Configuration that was read. Empty where that has none.
 * @throws InvalidMethodError for a method that no app can be called with
 */
export function explainAccess(
  { appId, configuration, places }: Project,
  namespace: string,
  { appId: callee }: InvocationTarget,
  asked: AskedMethod | undefined,
): readonly Explanation[] {
  const section = configuration.sections.get("accessControl");
  if (section === undefined) {
    return [];
  }
  const text = `access control of ${callee}, if this is its Configuration`;
  if (asked === undefined) {
    const below = [{ text: "name a method, and for an HTTP app a verb, to see which rule decides" }];
    return [{ text, from: places.text(section), below }];
  }
  const list = new AccessControlList(configuration.accessControl, asked.isHttp, section);
  const method = canonicalInvocation(asked.method);
  const caller = { trustDomain: TRUST_DOMAIN, namespace, appId };
  const proved = verdictOn(list, caller, method, asked.verb === "" ? NO_VERB : asked.verb);
  const unproved = list.check(undefined, method, NO_VERB);
  const told = ({ rule, allowed }: typeof proved, when: string): Explanation => ({
    text: `${allowed ? "allowed" : "refused"} ${when}: ${rule.text}`,
    from: rule.origin === undefined ? "built in" : places.text(rule.origin),
  });
  return [
    {
      text,
      from: places.text(section),
      below: [
        told(proved, `with mutual TLS, as spiffe://${TRUST_DOMAIN}/ns/${namespace}/${appId}`),
        told(unproved, "without it"),
      ],
    },
  ];
}
