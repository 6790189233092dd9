import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Logger } from "../../kit/logger.ts";
import { createHttpClient } from "../../net/http/client.ts";
import { HttpClientError } from "../../net/http/errors.ts";
import { joinChunks } from "../../net/http/headers.ts";
import type { Body, HttpClient } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import type { Conversation, ConversationRequest, ConversationResponse } from "../spi/conversation.ts";
import { ComponentError } from "../spi/errors.ts";
import { type DecodedMetadata, decodeMetadata } from "../spi/metadata.ts";
import { openaiFields } from "./manifest.ts";
import { chatRequest } from "./request.ts";
import { ResponseCache } from "./response-cache.ts";
import { readChatResponse, refusalText } from "./response.ts";

/** How long a model may think before its answer begins, in milliseconds; a resiliency timeout may end it sooner. */
const HEAD_TIMEOUT_MS = 10 * 60_000;
/** Bytes of an answer. */
const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

const DEFAULT_ENDPOINT = "https://api.openai.com/v1";

type Options = DecodedMetadata<typeof openaiFields>;

/** Where the provider is and how it wants to be addressed. */
interface Provider {
  readonly client: HttpClient;
  readonly target: string;
  readonly headers: readonly string[];
  readonly model: string;
  readonly cache: ResponseCache | undefined;
}

export function createOpenaiConversation(deps: ComponentDeps): Conversation {
  return new OpenaiConversation(deps);
}

class OpenaiConversation implements Conversation {
  readonly #deps: ComponentDeps;
  #provider: Provider | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name: component, logger, environment, clock } = this.#deps;
    const options = decodeMetadata(openaiFields, metadata, { component, logger });
    const azure = options.apiType.toLowerCase() === "azure";
    if (azure && (options.endpoint === undefined || options.apiVersion === undefined)) {
      throw new ComponentError(
        "invalidMetadata",
        "endpoint and apiVersion must be provided when apiType is set to 'azure'",
        { facts: { component } },
      );
    }
    const model = azure
      ? environment["AZURE_OPENAI_MODEL"] || options.model || "gpt-4.1-nano"
      : environment["OPENAI_MODEL"] || options.model || "gpt-5-nano";
    const url = completionsUrl(options, azure, model, component);
    this.#provider = {
      client: createHttpClient(url.origin),
      target: url.pathname + url.search,
      headers: [
        "content-type",
        "application/json",
        ...(azure ? ["api-key", options.key] : ["authorization", `Bearer ${options.key}`]),
      ],
      model,
      cache: options.responseCacheTTL === undefined ? undefined : new ResponseCache(options.responseCacheTTL, clock),
    };
  }

  async converse(request: ConversationRequest, signal?: CancelSignal): Promise<ConversationResponse> {
    const provider = this.#provider;
    if (provider === undefined) {
      throw new ComponentError("unavailable", "the conversation component is closed");
    }
    const body = chatRequest(provider.model, withUsableFormat(request, this.#deps.logger));
    const known = provider.cache?.get(body);
    if (known !== undefined) {
      return known;
    }
    const text = await complete(provider, body, signal);
    const response = readChatResponse(provider.model, text);
    if (request.toolChoice === "required" && request.tools.length > 0 && !response.outputs.some(isUseful)) {
      throw new ComponentError(
        "unavailable",
        `LLM returned empty response with no tool calls despite ${request.tools.length} tools being available`,
      );
    }
    provider.cache?.put(body, response, text.length);
    return response;
  }

  async close(): Promise<void> {
    const provider = this.#provider;
    this.#provider = undefined;
    await provider?.client.close();
  }
}

async function complete(provider: Provider, body: string, signal: CancelSignal | undefined): Promise<string> {
  const { client, target, headers } = provider;
  let status: number;
  let text: string;
  try {
    const response = await client.request({
      method: "POST",
      target,
      headers,
      body: Buffer.from(body),
      headTimeoutMs: HEAD_TIMEOUT_MS,
      signal,
    });
    status = response.status;
    text = await readText(response.body);
  } catch (cause) {
    if (cause instanceof ComponentError) {
      throw cause;
    }
    if (cause instanceof HttpClientError && cause.kind === "timeout") {
      throw new ComponentError("timeout", "request timeout: API call exceeded deadline", { cause });
    }
    if (signal?.aborted === true) {
      throw new ComponentError("timeout", "request cancelled", { cause });
    }
    throw new ComponentError("unavailable", cause instanceof Error ? cause.message : String(cause), { cause });
  }
  if (status !== 200) {
    throw new ComponentError("unavailable", refusalText(status, text));
  }
  return text;
}

async function readText(body: Body): Promise<string> {
  if (body instanceof Uint8Array) {
    return Buffer.from(body).toString();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > RESPONSE_BYTES_MAX) {
      throw new ComponentError(
        "unavailable",
        `the provider's answer is larger than the limit of ${RESPONSE_BYTES_MAX} bytes; ask for a shorter one`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.from(joinChunks(chunks, length)).toString();
}

function completionsUrl(options: Options, azure: boolean, model: string, component: string): URL {
  const endpoint = options.endpoint ?? DEFAULT_ENDPOINT;
  const base = URL.parse(endpoint);
  if (base === null || (base.protocol !== "http:" && base.protocol !== "https:")) {
    throw new ComponentError(
      "invalidMetadata",
      `metadata field "endpoint" of component ${component} must be an http or https URL, not ${JSON.stringify(endpoint)}`,
      { facts: { component, field: "endpoint" } },
    );
  }
  const root = endpoint.replace(/\/+$/, "");
  return azure
    ? new URL(
        `${root}/openai/deployments/${encodeURIComponent(model)}/chat/completions?api-version=${encodeURIComponent(options.apiVersion ?? "")}`,
      )
    : new URL(`${root}/chat/completions`);
}

/** A format that is no JSON Schema is left out with a warning, as in Dapr. */
function withUsableFormat(request: ConversationRequest, logger: Logger): ConversationRequest {
  if (request.responseFormat === undefined || typeof request.responseFormat["type"] === "string") {
    return request;
  }
  logger.warn(
    "failed to convert response format to structured output, will continue without structured output: schema type is required and must be a string",
  );
  return { ...request, responseFormat: undefined };
}

function isUseful({ choices }: ConversationResponse["outputs"][number]): boolean {
  return choices.some(({ content, toolCalls }) => content !== "" || toolCalls.length > 0);
}
