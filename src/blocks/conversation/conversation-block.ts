import type {
  Conversation,
  ConversationMessage,
  ConversationPart,
  ConversationRequest,
  ConversationResponse,
  ConversationTool,
} from "../../components/spi/conversation.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { conversationErrors } from "../../errors/catalogue/conversation.ts";
import { apiError } from "../../errors/error.ts";
import type { ComponentView } from "../../inventory/types.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Policy } from "../../resiliency/types.ts";
import { type ComponentCalls, type ComponentCallsSource, NO_CALLS } from "../../telemetry/metrics/component-calls.ts";
import type { PiiScrubber } from "./pii-scrubber.ts";

/** Characters that one conversation may have scrubbed: they are searched in one go, about a microsecond each. */
export const SCRUBBED_CHARACTERS_MAX = 128 * 1024;

/** Messages, and whether personal data is taken out of them before the model sees them. */
export interface ConversationInput {
  readonly messages: readonly ConversationMessage[];
  readonly scrubPii: boolean;
}

/** What an app asks of a model. */
export interface Converse extends Omit<ConversationRequest, "messages"> {
  /** The component. */
  readonly name: string;
  readonly inputs: readonly ConversationInput[];
  /** Personal data is taken out of the answers too. */
  readonly scrubPii: boolean;
  readonly signal?: CancelSignal | undefined;
}

/** Conversations with language models: every door and every in-process caller comes here. */
export interface ConversationBlock {
  /** @throws ApiError of `conversationErrors` */
  converse(request: Converse): Promise<ConversationResponse>;
}

export interface ConversationBlockOptions {
  readonly components: ComponentView<Conversation>;
  readonly clock: Clock;
  /** The resiliency policy for calls of a component, asked for with each call. */
  readonly policy?: ((component: string) => Policy | undefined) | undefined;
  readonly calls?: ComponentCallsSource | undefined;
}

/** Follows `components` from now on. */
export function createConversationBlock(options: ConversationBlockOptions): ConversationBlock {
  return new Block(options);
}

interface Target {
  readonly component: Conversation;
  readonly calls: ComponentCalls;
}

class Block implements ConversationBlock {
  readonly #clock: Clock;
  readonly #targets = new Map<string, Target>();
  readonly #policy: ConversationBlockOptions["policy"];
  #scrubber: Promise<PiiScrubber> | undefined;

  constructor({ components, clock, policy, calls = NO_CALLS }: ConversationBlockOptions) {
    this.#clock = clock;
    this.#policy = policy;
    components.watch((name, loaded) => {
      if (loaded === undefined) {
        this.#targets.delete(name);
      } else {
        this.#targets.set(name, { component: loaded.component, calls: calls.of(name) });
      }
    });
  }

  async converse(asked: Converse): Promise<ConversationResponse> {
    const { name, inputs } = asked;
    const target = this.#targets.get(name);
    if (target === undefined) {
      throw apiError(conversationErrors.notFound, { name });
    }
    if (inputs.length === 0) {
      throw apiError(conversationErrors.missingInputs, { name });
    }
    const toolChoice = toolChoiceOf(asked);
    const scrub = await this.#scrubberFor(asked);
    const messages = inputs.flatMap((input) =>
      input.scrubPii ? input.messages.map((message) => scrubMessage(message, scrub)) : input.messages,
    );
    const response = await this.#call(target, { ...asked, messages, toolChoice }, asked);
    return asked.scrubPii ? scrubResponse(response, scrub) : response;
  }

  async #call(target: Target, request: ConversationRequest, { name, signal }: Converse): Promise<ConversationResponse> {
    const { component, calls } = target;
    const policy = this.#policy?.(name);
    const startedMs = this.#clock.monotonicMs();
    let success = false;
    try {
      const response = await (policy === undefined
        ? component.converse(request, signal)
        : policy.run((attempt) => component.converse(request, attempt), { signal }));
      success = true;
      return response;
    } catch (error) {
      throw apiError(conversationErrors.invoke, { name, reason: reasonOf(error) }, { cause: error });
    } finally {
      calls.record("", success, this.#clock.monotonicMs() - startedMs);
    }
  }

  /** The scrubber's expressions are made with the first conversation that asks for it. */
  async #scrubberFor(asked: Converse): Promise<(text: string) => string> {
    if (!asked.scrubPii && !asked.inputs.some((input) => input.scrubPii)) {
      return (text) => text;
    }
    this.#scrubber ??= import("./pii-scrubber.ts").then((module) => new module.PiiScrubber());
    const scrubber = await this.#scrubber;
    let characters = 0;
    return (text) => {
      characters += text.length;
      if (characters > SCRUBBED_CHARACTERS_MAX) {
        const reason = `more than ${SCRUBBED_CHARACTERS_MAX} characters to scrub of personal data; send fewer at a time, or scrub them in the app`;
        throw apiError(conversationErrors.invalidParams, { name: asked.name, reason });
      }
      return scrubber.scrub(text);
    };
  }
}

/** @throws ApiError where it is neither a word of the API nor one of the tools */
function toolChoiceOf({ name, toolChoice = "", tools }: Converse): string | undefined {
  switch (toolChoice) {
    case "":
      return tools.length > 0 ? "auto" : undefined;
    case "auto":
    case "none":
      return toolChoice;
    case "required":
      if (tools.length === 0) {
        throw apiError(conversationErrors.invalidParams, {
          name,
          reason: "tool choice 'required' needs at least one tool",
        });
      }
      return toolChoice;
    default:
      if (tools.length > 0 && !tools.some((tool: ConversationTool) => tool.name === toolChoice)) {
        throw apiError(conversationErrors.invalidParams, {
          name,
          reason: `tool choice "${toolChoice}" must be 'auto', 'none', 'required', or the name of one of the tools`,
        });
      }
      return toolChoice;
  }
}

function scrubMessage(message: ConversationMessage, scrub: (text: string) => string): ConversationMessage {
  return { ...message, parts: message.parts.map((part) => scrubPart(part, scrub)) };
}

/** Calls of tools stay as the model wrote them, as in Dapr. */
function scrubPart(part: ConversationPart, scrub: (text: string) => string): ConversationPart {
  switch (part.kind) {
    case "text":
      return { ...part, text: scrub(part.text) };
    case "toolResult":
      return { ...part, content: scrub(part.content) };
    case "toolCall":
      return part;
  }
}

function scrubResponse(response: ConversationResponse, scrub: (text: string) => string): ConversationResponse {
  return {
    ...response,
    outputs: response.outputs.map(({ choices }) => ({
      choices: choices.map((choice) => ({ ...choice, content: scrub(choice.content) })),
    })),
  };
}

/** What a component or a policy says; anything else is a bug, and thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof ComponentError || (error instanceof Error && error.name !== "TypeError")) {
    return errorMessage(error);
  }
  throw error;
}
