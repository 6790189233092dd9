import { resolve } from "node:path";
import type { AskedMethod } from "../explain/access-explanation.ts";
import type { Explanation } from "../explain/explanation.ts";
import { renderExplanation } from "../explain/explanation.ts";
import { type Project, readProject } from "../explain/project.ts";
import { Registry } from "../inventory/registry.ts";
import { suggest } from "../kit/distance.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import type { ComponentResource } from "../resources/component.ts";
import { COMPONENT_MANIFESTS } from "../sidecar/families.ts";
import { FlagError, parseFlags, usageText, type FlagDefinition, type ParsedFlags } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const EXPLAIN_FLAGS = [
  {
    name: "app-id",
    shorthand: "a",
    kind: "string",
    default: "",
    description: "The app whose sidecar is asked about; required",
  },
  {
    name: "resources-path",
    shorthand: "d",
    kind: "strings",
    default: "[]",
    description: "Folder of resources; may be repeated",
  },
  {
    name: "config",
    shorthand: "c",
    kind: "strings",
    default: "[]",
    description: "Configuration file; later files overlay earlier ones",
  },
  {
    name: "app-protocol",
    shorthand: "P",
    kind: "string",
    default: "http",
    description: "How the called app is spoken to, for the rules of access control",
  },
] as const satisfies readonly FlagDefinition[];

type ExplainFlag = (typeof EXPLAIN_FLAGS)[number];

const USAGE = `outrigger explain component <name>
       outrigger explain topic <pub/sub component> <topic>
       outrigger explain call <app id, HTTPEndpoint or URL> [<method> [<HTTP verb>]]`;

/** `outrigger explain`: what a sidecar with these resources will do, and which line of which file says so. Starts nothing. */
export async function explainCommand(args: readonly string[], host: HostProcess): Promise<number> {
  try {
    const flags = parseFlags<ExplainFlag>(EXPLAIN_FLAGS, args);
    if (flags.help) {
      host.out(usageText(USAGE, EXPLAIN_FLAGS));
      return 0;
    }
    const explanation = await explain(flags, host);
    host.out(renderExplanation(explanation));
    return 0;
  } catch (error) {
    host.err(`outrigger explain: ${errorMessage(error)}\n`);
    return error instanceof FlagError ? EXIT_USAGE : EXIT_FAILED;
  }
}

async function explain(flags: ParsedFlags<ExplainFlag>, host: HostProcess): Promise<Explanation> {
  const [what = "", ...words] = flags.words;
  const [least, most] = WORDS[what] ?? [Number.POSITIVE_INFINITY, 0];
  if (words.length < least || words.length > most) {
    throw new FlagError(`say what to explain:\n       ${USAGE}`);
  }
  const appId = flags.text("app-id");
  if (appId === "") {
    throw new FlagError("--app-id is required: resources may be for some apps only");
  }
  const project = await readProject({
    appId,
    namespace: host.env["NAMESPACE"] ?? "",
    resourcesPaths: flags.list("resources-path").map((path) => resolve(host.cwd, path)),
    configPaths: flags.list("config").map((path) => resolve(host.cwd, path)),
    environment: host.env,
    directory: host.cwd,
    logger: complaints(host),
  });
  const [first = "", second = "", verb = ""] = words;
  const registry = new Registry(COMPONENT_MANIFESTS);
  switch (what) {
    case "component":
      return (await import("../explain/component-explanation.ts")).explainComponent(
        project,
        componentOf(project, first),
        registry,
      );
    case "topic":
      return (await import("../explain/topic-explanation.ts")).explainTopic(
        project,
        componentOf(project, first),
        second,
        registry,
      );
    default:
      return (await import("../explain/call-explanation.ts")).explainCall(
        project,
        first,
        methodOf(flags, second, verb),
      );
  }
}

/** How many words follow, at least and at most. */
const WORDS: Readonly<Record<string, readonly [number, number]>> = { component: [1, 1], topic: [2, 2], call: [1, 3] };

function methodOf(flags: ParsedFlags<ExplainFlag>, method: string, verb: string): AskedMethod | undefined {
  const isHttp = !flags.text("app-protocol").startsWith("grpc");
  return method === "" ? undefined : { method, verb: isHttp ? verb.toUpperCase() : "", isHttp };
}

function componentOf({ resources, appId }: Project, name: string): ComponentResource {
  const found = resources.components.find((each) => each.name === name);
  if (found === undefined) {
    const near = suggest(
      name,
      resources.components.map((each) => each.name),
    );
    const hint = near === undefined ? "check --resources-path and its scopes" : `did you mean ${near}?`;
    throw new Error(`there is no component ${name} for ${appId}; ${hint}`);
  }
  return found;
}

/** What the sidecar would complain about while it reads goes to standard error. */
function complaints(host: HostProcess): Logger {
  const say = (message: string): void => host.err(`${message}\n`);
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: say,
    error: say,
    fatal: say,
    enabled: (level) => level !== "debug" && level !== "info",
    scope: () => logger,
  };
  return logger;
}
