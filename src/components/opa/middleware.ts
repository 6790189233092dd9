import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type LoadedPolicy, loadPolicy } from "@open-policy-agent/opa-wasm";
import { errorMessage } from "../../kit/error-message.ts";
import { goFileError } from "../../kit/go-file-error.ts";
import type { HttpResponse } from "../../net/http/types.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { checkHeader, withHeader } from "../spi/header-edit.ts";
import { decodeMetadata, type DecodedMetadata } from "../spi/metadata.ts";
import { plainAnswer } from "../spi/middleware-answer.ts";
import type { HttpMiddleware, MiddlewareNext, MiddlewareRequest } from "../spi/middleware.ts";
import { wholeBody } from "../spi/whole-body.ts";
import { POLICY_BYTES_MAX, readPolicy } from "./bundle.ts";
import { type Decision, readDecision } from "./decision.ts";
import { opaFields } from "./manifest.ts";
import { canonicalHeaderName, policyInput } from "./policy-input.ts";

/** Pages of 64 KiB that a policy has for itself, its data and one input: at first, and at most. */
const MEMORY_PAGES_MIN = 16;
const MEMORY_PAGES_MAX = 2048;
const ERROR_HEADER = "x-dapr-opa-error";

/** Makes the middleware; see the manifest. */
export function createOpa(deps: ComponentDeps): HttpMiddleware {
  return new Opa(deps);
}

type Fields = DecodedMetadata<typeof opaFields>;

class Opa implements HttpMiddleware {
  readonly #deps: ComponentDeps;
  #policy: LoadedPolicy | undefined;
  #entrypoint = "";
  #defaultStatus = 403;
  #readsBody = false;
  #includedHeaders: ReadonlySet<string> = new Set();

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name, logger } = this.#deps;
    const fields = decodeMetadata(opaFields, metadata, { component: name, logger });
    if (fields.defaultStatus < 100 || fields.defaultStatus > 599) {
      throw invalid(`invalid status value ${fields.defaultStatus} expected in range [100-599]`);
    }
    this.#defaultStatus = fields.defaultStatus;
    this.#readsBody = fields.readBody;
    this.#entrypoint = fields.entrypoint;
    this.#includedHeaders = new Set(
      fields.includedHeaders
        .split(",")
        .map((header) => canonicalHeaderName(header.replaceAll(" ", "")))
        .filter((header) => header !== ""),
    );
    this.#policy = await this.#load(await this.#policyBytes(fields));
  }

  async handle(request: MiddlewareRequest, next: MiddlewareNext): Promise<HttpResponse> {
    const body = this.#readsBody ? await wholeBody(request.body, request.bodyBytesMax) : undefined;
    const passed = body === undefined ? request : { ...request, body };
    let decision: Decision;
    try {
      decision = this.#decide(passed, body === undefined ? "" : Buffer.from(body).toString());
    } catch (error) {
      this.#deps.logger.warn(`Error procesing rego policy: ${thrownText(error)}`);
      return plainAnswer(this.#defaultStatus, undefined, [ERROR_HEADER, "true"]);
    }
    if (!decision.allow) {
      return plainAnswer(decision.statusCode ?? this.#defaultStatus, undefined, decision.headers.flat());
    }
    const headers = decision.headers.reduce<MiddlewareRequest["headers"]>(
      (list, [header, value]) => withHeader(list, header, value),
      passed.headers,
    );
    return await next({ ...passed, headers });
  }

  async close(): Promise<void> {
    // The policy's memory goes with the instance.
  }

  /** @throws what the policy's module throws, or Error for a decision that is none */
  #decide(request: MiddlewareRequest, body: string): Decision {
    const input = policyInput(request, this.#includedHeaders, body);
    const decision = readDecision(this.#policy?.evaluate(input, this.#entrypoint));
    for (const [name, value] of decision.headers) {
      checkHeader(name, value);
    }
    return decision;
  }

  async #policyBytes({ policyPath, policyBase64, rego }: Fields): Promise<Uint8Array> {
    if (policyPath !== undefined) {
      return await this.#readFile(resolve(this.#deps.directory ?? "", policyPath));
    }
    if (policyBase64 !== undefined) {
      return Buffer.from(policyBase64, "base64");
    }
    throw invalid(
      rego === undefined
        ? "metadata field policyPath or policyBase64 is required: the policy compiled to WebAssembly"
        : `Rego source is not evaluated here: compile it with "opa build -t wasm -e ${this.#entrypoint} policy.rego" and give the bundle.tar.gz in policyPath or policyBase64`,
    );
  }

  async #readFile(path: string): Promise<Uint8Array> {
    try {
      const { size } = await stat(path);
      if (size > POLICY_BYTES_MAX) {
        throw invalid(`${path} has ${size} bytes, more than the limit of ${POLICY_BYTES_MAX}`);
      }
      return await readFile(path);
    } catch (cause) {
      throw cause instanceof ComponentError ? cause : invalid(goFileError("open", path, cause), cause);
    }
  }

  async #load(bytes: Uint8Array): Promise<LoadedPolicy> {
    let policy: LoadedPolicy;
    try {
      const { wasm, data } = await readPolicy(bytes);
      policy = await loadPolicy(Uint8Array.from(wasm), { initial: MEMORY_PAGES_MIN, maximum: MEMORY_PAGES_MAX });
      if (data !== undefined) {
        policy.setData(data);
      }
    } catch (cause) {
      throw invalid(`failed to load the policy: ${thrownText(cause)}`, cause);
    }
    const entrypoints = policy.entrypoints as Readonly<Record<string, number>>;
    if (!Object.hasOwn(entrypoints, this.#entrypoint)) {
      const known = Object.keys(entrypoints).join(", ");
      throw invalid(
        `the policy has no entrypoint ${this.#entrypoint}, only ${known}: build it with "opa build -t wasm -e ${this.#entrypoint}", or name another one in the field entrypoint`,
      );
    }
    return policy;
  }
}

function invalid(message: string, cause?: unknown): ComponentError {
  return new ComponentError("invalidMetadata", message, cause === undefined ? {} : { cause });
}

/** The package throws texts and plain objects, too. */
function thrownText(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) {
    return String(error.message);
  }
  return typeof error === "string" ? error : errorMessage(error);
}
