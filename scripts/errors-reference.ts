import { STATUS_CODES } from "node:http";
import { errorBody } from "../src/api/http/errors.ts";
import { actorErrors } from "../src/errors/catalogue/actors.ts";
import { bindingErrors } from "../src/errors/catalogue/bindings.ts";
import { commonErrors } from "../src/errors/catalogue/common.ts";
import { configurationErrors } from "../src/errors/catalogue/configuration.ts";
import { conversationErrors } from "../src/errors/catalogue/conversation.ts";
import { cryptoErrors } from "../src/errors/catalogue/crypto.ts";
import { healthErrors } from "../src/errors/catalogue/health.ts";
import { invocationErrors } from "../src/errors/catalogue/invocation.ts";
import { jobErrors } from "../src/errors/catalogue/jobs.ts";
import { lockErrors } from "../src/errors/catalogue/lock.ts";
import { pubsubErrors } from "../src/errors/catalogue/pubsub.ts";
import { secretErrors } from "../src/errors/catalogue/secrets.ts";
import { stateErrors } from "../src/errors/catalogue/state.ts";
import { apiError, ERROR_DOMAIN, type ApiError, type ErrorEntry } from "../src/errors/error.ts";
import { goStatusName } from "../src/errors/grpc-status.ts";
import { actorHelp } from "../src/errors/help/actors.ts";
import { bindingHelp } from "../src/errors/help/bindings.ts";
import { commonHelp } from "../src/errors/help/common.ts";
import { configurationHelp } from "../src/errors/help/configuration.ts";
import { conversationHelp } from "../src/errors/help/conversation.ts";
import { cryptoHelp } from "../src/errors/help/crypto.ts";
import type { ErrorHelp, HelpOf } from "../src/errors/help/error-help.ts";
import { healthHelp } from "../src/errors/help/health.ts";
import { invocationHelp } from "../src/errors/help/invocation.ts";
import { jobHelp } from "../src/errors/help/jobs.ts";
import { lockHelp } from "../src/errors/help/lock.ts";
import { pubsubHelp } from "../src/errors/help/pubsub.ts";
import { secretHelp } from "../src/errors/help/secrets.ts";
import { stateHelp } from "../src/errors/help/state.ts";

/** One row of the catalogue with what a person needs to know of it. */
export interface ErrorRow {
  /** File of the catalogue without its extension. */
  readonly area: string;
  readonly name: string;
  readonly entry: ErrorEntry;
  readonly help: ErrorHelp;
  /** Page in docs/guides. */
  readonly guide: string;
}

const ROWS: readonly ErrorRow[] = [
  ...rowsOf("actors", actorErrors, actorHelp, "actors"),
  ...rowsOf("bindings", bindingErrors, bindingHelp, "components"),
  ...rowsOf("common", commonErrors, commonHelp, "operations"),
  ...rowsOf("configuration", configurationErrors, configurationHelp, "components"),
  ...rowsOf("conversation", conversationErrors, conversationHelp, "conversation"),
  ...rowsOf("crypto", cryptoErrors, cryptoHelp, "cryptography"),
  ...rowsOf("health", healthErrors, healthHelp, "operations"),
  ...rowsOf("invocation", invocationErrors, invocationHelp, "invocation"),
  ...rowsOf("jobs", jobErrors, jobHelp, "jobs"),
  ...rowsOf("lock", lockErrors, lockHelp, "components"),
  ...rowsOf("pubsub", pubsubErrors, pubsubHelp, "pubsub"),
  ...rowsOf("secrets", secretErrors, secretHelp, "components"),
  ...rowsOf("state", stateErrors, stateHelp, "state"),
];

/** Every row of every area of the catalogue. */
export function errorRows(): readonly ErrorRow[] {
  return ROWS;
}

function rowsOf<Rows extends Readonly<Record<string, ErrorEntry>>>(
  area: string,
  rows: Rows,
  helps: HelpOf<Rows>,
  guide: string,
): ErrorRow[] {
  return Object.entries(rows).map(([name, entry]) => ({ area, name, entry, help: helps[name as keyof Rows], guide }));
}

/** What stands between braces in the texts, for the examples. */
const FACTS: Readonly<Record<string, string | number>> = {
  actor: "Counter||c1",
  appId: "checkout",
  binding: "mail",
  callee: "payments",
  count: 200,
  given: "etag",
  id: "payments",
  key: "order-1",
  keys: "[colour]",
  limit: 128,
  name: "daily",
  operation: "increment",
  provider: "vault",
  pubsub: "pubsub",
  quotedSecret: '"db-password"',
  quotedStore: '"vault"',
  reason: "dial tcp 127.0.0.1:6379: connect: connection refused",
  secret: "db-password",
  store: "statestore",
  targets: "[app]",
  topic: "orders",
  verb: "POST",
  type: '"dapr.internal.default.checkout.workflow"',
};

/** `errorCode` as a caller reads it: rows without one show the text of their status. */
export function shownCode({ code, httpStatus }: ErrorEntry): string {
  return code === "" ? (STATUS_CODES[httpStatus] ?? String(httpStatus)) : code;
}

function fileOf(code: string): string {
  return `${code.replaceAll(" ", "-")}.md`;
}

/** The pages of docs/reference/errors by their file name; `README.md` is the list of all. */
export function errorPages(rows: readonly ErrorRow[] = ROWS): ReadonlyMap<string, string> {
  const byCode = Map.groupBy(rows, ({ entry }) => shownCode(entry));
  const codes = [...byCode.keys()].sort();
  const pages = new Map<string, string>();
  pages.set("README.md", indexOf(codes, byCode));
  for (const code of codes) pages.set(fileOf(code), pageOf(code, byCode.get(code) ?? []));
  return pages;
}

const GENERATED = "<!-- Written by `npm run generate:reference` from src/errors; change it there. -->";

function indexOf(codes: readonly string[], byCode: ReadonlyMap<string, readonly ErrorRow[]>): string {
  const lines = codes.flatMap((code) =>
    (byCode.get(code) ?? []).map(
      ({ entry }) =>
        `| [${code}](${fileOf(code)}) | ${entry.httpStatus} | ${goStatusName(entry.grpcStatus)} | ${cell(entry.message)}${entry.reason === undefined ? "" : ` (\`${entry.reason}\`)`} |`,
    ),
  );
  return `# Errors

${GENERATED}

Every error that a sidecar answers with, by \`errorCode\` of the HTTP body. What stands in braces is filled in; a \`{reason}\`
is the text of whatever failed beneath. In brackets, where there is one, stands the \`reason\` of the details, which gRPC
callers see too. Codes, statuses and texts are Dapr's, except for those of what Dapr does not have.

| code | HTTP | gRPC | text |
|---|---|---|---|
${lines.join("\n")}
`;
}

function pageOf(code: string, rows: readonly ErrorRow[]): string {
  const areas = [...new Set(rows.map(({ guide }) => guide))];
  const links = areas.map((guide) => `[${guide}](../../guides/${guide}.md)`).join(", ");
  return `# ${code}

${GENERATED}

${rows.map((row) => sectionOf(row, rows.length > 1)).join("\n")}
Guides: ${links}. [All errors](README.md).
`;
}

function sectionOf({ entry, help }: ErrorRow, isOneOfMany: boolean): string {
  const error = exampleOf(entry);
  const heading = isOneOfMany
    ? `## ${entry.message === "{reason}" ? "Anything else" : entry.message}`
    : `> ${entry.message}`;
  return `${heading}

${help.meaning}

What to try:

${help.tries.map((one) => `* ${one}`).join("\n")}

HTTP ${entry.httpStatus} ${STATUS_CODES[entry.httpStatus] ?? ""}:

\`\`\`json
${JSON.stringify(JSON.parse(errorBody(error)), undefined, 2)}
\`\`\`

gRPC ${goStatusName(entry.grpcStatus)} (${entry.grpcStatus}):

\`\`\`text
rpc error: code = ${goStatusName(entry.grpcStatus)} desc = ${error.message}
\`\`\`
`;
}

/** The answer with facts that might have been; a rich one with the details that all of its kind have. */
function exampleOf(entry: ErrorEntry): ApiError {
  for (const [, fact] of entry.message.matchAll(/\{(\w+)\}/g)) {
    if (fact !== undefined && FACTS[fact] === undefined) throw new Error(`FACTS has no example of {${fact}}`);
  }
  const details =
    entry.reason === undefined ? [] : [{ kind: "ErrorInfo", reason: entry.reason, domain: ERROR_DOMAIN } as const];
  return apiError(entry as ErrorEntry<`{reason}`>, FACTS as { reason: string }, { details });
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
