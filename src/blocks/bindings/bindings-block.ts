import { allowsDirection } from "../../components/spi/binding-direction.ts";
import type { Binding, BindingResponse, OutputBinding } from "../../components/spi/bindings.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { bindingErrors } from "../../errors/catalogue/bindings.ts";
import { type ApiError, apiError } from "../../errors/error.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Policy } from "../../resiliency/types.ts";
import { type ComponentCalls, type ComponentCallsSource, NO_CALLS } from "../../telemetry/metrics/component-calls.ts";
import { type ComponentPolicies, guarded, NO_POLICIES } from "../component-policy.ts";

/** One call of an output binding. */
export interface InvokeBinding {
  readonly binding: string;
  readonly operation: string;
  readonly data: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Output bindings: every door and every in-process caller comes here. */
export interface BindingsBlock {
  /**
   * @throws ApiError ERR_INVOKE_OUTPUT_BINDING; its cause is a `BindingFailure` where the binding has an answer all the
   * same
   */
  invoke(call: InvokeBinding): Promise<BindingResponse>;
}

export interface BindingsBlockOptions {
  readonly bindings: ComponentView<Binding>;
  readonly clock: Clock;
  readonly calls?: ComponentCallsSource | undefined;
  readonly policies?: ComponentPolicies | undefined;
}

/** Follows `bindings` from now on. */
export function createBindingsBlock({
  bindings,
  clock,
  calls = NO_CALLS,
  policies = NO_POLICIES,
}: BindingsBlockOptions): BindingsBlock {
  const outputs = new Map<string, Output>();
  const update = (name: string, loaded: Loaded<Binding> | undefined): void => {
    const policy = policies.component(name, "Binding", "outbound");
    const output = loaded === undefined ? undefined : outputOf(loaded, calls.of(name), policy);
    if (output === undefined) {
      outputs.delete(name);
    } else {
      outputs.set(name, output);
    }
  };
  bindings.watch(update);
  policies.onChange?.(() => {
    for (const loaded of bindings.values()) {
      update(loaded.name, loaded);
    }
  });
  return {
    async invoke(call) {
      const output = outputs.get(call.binding);
      const startedMs = clock.monotonicMs();
      let success = false;
      try {
        const response = await invoke(output, call);
        success = true;
        return response;
      } finally {
        // As in Dapr, calls of bindings that do not exist count too.
        (output?.calls ?? calls.of(call.binding)).record(call.operation, success, clock.monotonicMs() - startedMs);
      }
    },
  };
}

interface Output {
  readonly operations: ReadonlySet<string>;
  readonly component: Pick<OutputBinding, "invoke">;
  readonly calls: ComponentCalls;
  readonly policy: Policy | undefined;
}

function outputOf(
  { component, metadata }: Loaded<Binding>,
  calls: ComponentCalls,
  policy: Policy | undefined,
): Output | undefined {
  const { invoke: method, operations } = component;
  if (method === undefined || operations === undefined || !allowsDirection(metadata, "output")) {
    return undefined;
  }
  return { operations: new Set(operations), component: { invoke: method.bind(component) }, calls, policy };
}

async function invoke(output: Output | undefined, call: InvokeBinding): Promise<BindingResponse> {
  const { binding, operation, data, metadata } = call;
  if (operation === "") {
    throw failure(binding, "operation field is missing from request");
  }
  if (output === undefined) {
    throw failure(binding, `couldn't find output binding ${binding}`);
  }
  if (!output.operations.has(operation)) {
    const supported = [...output.operations].join(" ");
    throw failure(
      binding,
      `binding ${binding} does not support operation ${operation}. supported operations:${supported}`,
    );
  }
  try {
    const { component, policy } = output;
    return await guarded(policy, () => component.invoke({ operation, data, metadata }, call.signal));
  } catch (error) {
    if (error instanceof ComponentError) {
      throw failure(binding, error.message, error);
    }
    throw error;
  }
}

function failure(binding: string, reason: string, cause?: ComponentError): ApiError {
  return apiError(bindingErrors.invokeOutput, { binding, reason }, cause === undefined ? {} : { cause });
}
