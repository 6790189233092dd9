import { ComponentError } from "../components/spi/errors.ts";
import { type CancelSignal, NEVER_CANCELLED } from "../kit/cancel-signal.ts";
import { PolicyError } from "../resiliency/policy-error.ts";
import type { ComponentPolicyType, FlowDirection, Policy, PolicyRun, Resiliency } from "../resiliency/types.ts";

/** Where a block gets the policies of its components, once for each that is loaded. */
export type ComponentPolicies = Pick<Resiliency, "component" | "onChange">;

/** For blocks without resiliency. */
export const NO_POLICIES: ComponentPolicies = { component: () => undefined };

/** The policies of a block's components in one direction, looked up once for each name until they are exchanged. */
export class PoliciesByName {
  readonly #source: ComponentPolicies;
  readonly #type: ComponentPolicyType;
  readonly #direction: FlowDirection;
  readonly #known = new Map<string, Policy | undefined>();

  constructor(source: ComponentPolicies | undefined, type: ComponentPolicyType, direction: FlowDirection) {
    this.#source = source ?? NO_POLICIES;
    this.#type = type;
    this.#direction = direction;
    this.#source.onChange?.(() => this.#known.clear());
  }

  /** @param component the name of one that is loaded, so that there are not more of them than components */
  of(component: string): Policy | undefined {
    if (this.#known.has(component)) {
      return this.#known.get(component);
    }
    const policy = this.#source.component(component, this.#type, this.#direction);
    this.#known.set(component, policy);
    return policy;
  }
}

/**
 * Calls a component under its policy. Hot paths look for the policy themselves, so that there is no function to make for a
 * call without one.
 * @throws ComponentError also for a timeout and for a circuit breaker that lets nothing through, in Dapr's words
 */
export async function guarded<T>(
  policy: Policy | undefined,
  call: (signal: CancelSignal, number: number) => Promise<T>,
  how: PolicyRun<T> = NO_SECOND_TRY,
): Promise<T> {
  if (policy === undefined) {
    return call(how.signal ?? NEVER_CANCELLED, 1);
  }
  try {
    return await policy.run(call, how);
  } catch (error) {
    throw error instanceof PolicyError ? refusalOf(error) : error;
  }
}

/** What a policy says of itself, as blocks know errors of components. */
export function refusalOf(error: PolicyError): ComponentError {
  return new ComponentError(error.kind === "timeout" ? "timeout" : "unavailable", error.message, { cause: error });
}

/** An etag that does not fit will not fit at the next attempt. */
export function isEtagError(error: unknown): boolean {
  return error instanceof ComponentError && (error.kind === "etagMismatch" || error.kind === "etagInvalid");
}

const NO_SECOND_TRY: PolicyRun<unknown> = { isPermanent: isEtagError };
