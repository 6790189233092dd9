import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Component } from "./component.ts";

/** Who speaks; `developer` messages come as `user`, as in Dapr. */
export type ConversationRole = "user" | "system" | "assistant" | "tool" | "function" | "generic";

/** A call of a tool that the model wants made. `arguments` is JSON as the model wrote it, so perhaps invalid. */
export interface ConversationToolCall {
  /** Empty: none was given. */
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** One part of a message: text, a call that an earlier answer asked for, or what a call brought. */
export type ConversationPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "toolCall"; readonly call: ConversationToolCall }
  | { readonly kind: "toolResult"; readonly toolCallId: string; readonly name: string; readonly content: string };

export interface ConversationMessage {
  readonly role: ConversationRole;
  readonly parts: readonly ConversationPart[];
}

/** A function that the model may ask for. `parameters` is a JSON Schema. */
export interface ConversationTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ConversationRequest {
  readonly messages: readonly ConversationMessage[];
  readonly tools: readonly ConversationTool[];
  /** `auto`, `none`, `required` or the name of a tool; undefined: the model's own way. */
  readonly toolChoice: string | undefined;
  /** 0: the model's own. */
  readonly temperature: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** A JSON Schema that the answer must follow. */
  readonly responseFormat: Readonly<Record<string, unknown>> | undefined;
  readonly promptCacheRetentionMs: number | undefined;
}

export interface ConversationChoice {
  /** `stop`, `length`, `tool_calls`, `content_filter`, or `unknown` where the model gave none. */
  readonly finishReason: string;
  readonly index: number;
  readonly content: string;
  readonly toolCalls: readonly ConversationToolCall[];
}

/** Tokens spent. Details are there where at least one of them is not 0. */
export interface ConversationUsage {
  readonly completionTokens: number;
  readonly promptTokens: number;
  readonly totalTokens: number;
  readonly completionDetails?: {
    readonly acceptedPredictionTokens: number;
    readonly audioTokens: number;
    readonly reasoningTokens: number;
    readonly rejectedPredictionTokens: number;
  };
  readonly promptDetails?: { readonly audioTokens: number; readonly cachedTokens: number };
}

export interface ConversationResponse {
  /** Each output with its choices; models that give several answers make several outputs of one choice. */
  readonly outputs: readonly { readonly choices: readonly ConversationChoice[] }[];
  /** Empty: the component does not say. */
  readonly model: string;
  readonly usage: ConversationUsage | undefined;
}

/** A language model. */
export interface Conversation extends Component {
  /** @throws ComponentError with the provider's own words */
  converse(request: ConversationRequest, signal?: CancelSignal): Promise<ConversationResponse>;
}
