import { suggest } from "../kit/distance.ts";
import { RUNTIME_VERSION } from "../sidecar/version.ts";
import type { Command } from "./host-process.ts";
import { OUTRIGGER_VERSION } from "../kit/release.ts";

/** A command of the program, also started by a name the executable is given. */
interface Role {
  readonly name: string;
  /** Dapr's name for the same program. */
  readonly alias?: string;
  readonly summary: string;
  /** Imported on first use, so that each role loads its own code only; absent: not in this release. */
  readonly load?: () => Promise<Command>;
}

const SIDECAR: Role = {
  name: "sidecar",
  alias: "daprd",
  summary: "run a sidecar with daprd's flags (see `outrigger sidecar --help`)",
  load: async () => (await import("./sidecar-command.ts")).sidecarCommand,
};

const ROLES: readonly Role[] = [
  SIDECAR,
  {
    name: "dev",
    summary: "run all apps of a folder or a dapr.yaml, their sidecars in one process, and keep them up",
    load: async () => (await import("./dev-command.ts")).devCommand,
  },
  {
    name: "run",
    summary: "run an app beside its sidecar, or the apps of a dapr.yaml, as `dapr run` does",
    load: async () => (await import("./run-command.ts")).runCommand,
  },
  {
    name: "explain",
    summary: "say what a sidecar does with a component, a topic or a call, and which line of which file says so",
    load: async () => (await import("./explain-command.ts")).explainCommand,
  },
  {
    name: "doctor",
    summary: "say what is wrong with a planned or a running set-up, and what to do about it",
    load: async () => (await import("./doctor-command.ts")).doctorCommand,
  },
  {
    name: "placement",
    summary: "keep the table of actors, with placement's flags (see `outrigger placement --help`)",
    load: async () => (await import("./placement-command.ts")).placementCommand,
  },
  {
    name: "scheduler",
    summary: "keep jobs and reminders, with the scheduler's flags (see `outrigger scheduler --help`)",
    load: async () => (await import("./scheduler-command.ts")).schedulerCommand,
  },
  {
    name: "sentry",
    summary: "give workloads their certificates, with sentry's flags (see `outrigger sentry --help`)",
    load: async () => (await import("./sentry-command.ts")).sentryCommand,
  },
  { name: "operator", summary: "serve resources from Kubernetes" },
  { name: "injector", summary: "add sidecars to pods" },
];

/** Which role was asked for and what is left of the arguments for it. */
export interface RoleChoice {
  readonly command: Command;
  readonly args: readonly string[];
}

/**
 * Picks a role by the name the program was started under (`daprd`), or else by the first argument. Flags with no command
 * before them are a sidecar's: scripts that name daprd by its path work with this executable in its place.
 * @param names candidates for that name, the surest first: base names without `.exe`
 */
export function chooseRole(names: readonly string[], args: readonly string[]): RoleChoice {
  const byName = names.map(roleOf).find((role) => role !== undefined);
  if (byName !== undefined) {
    return { command: commandOf(byName), args };
  }
  const [word = "", ...rest] = args;
  switch (word) {
    case "help":
    case "--help":
    case "-h":
      return { command: print(helpText()), args: rest };
    case "version":
    case "--version":
    case "-v":
      return {
        command: print(`outrigger ${OUTRIGGER_VERSION}, compatible with Dapr ${RUNTIME_VERSION}\n`),
        args: rest,
      };
    case "":
      return { command: complain(helpText()), args: rest };
    default: {
      if (word.startsWith("-")) {
        return { command: commandOf(SIDECAR), args };
      }
      const role = roleOf(word);
      return { command: role === undefined ? complain(unknownText(word)) : commandOf(role), args: rest };
    }
  }
}

function roleOf(name: string): Role | undefined {
  return ROLES.find((role) => role.name === name || role.alias === name);
}

function commandOf(role: Role): Command {
  const { load } = role;
  if (load === undefined) {
    return complain(`outrigger ${role.name} is not part of this release (${OUTRIGGER_VERSION})\n`);
  }
  return async (args, host) => {
    const command = await load();
    return await command(args, host);
  };
}

function unknownText(word: string): string {
  const near = suggest(
    word,
    ROLES.flatMap((role) => (role.alias === undefined ? [role.name] : [role.name, role.alias])),
  );
  const hint = near === undefined ? "see `outrigger --help`" : `did you mean ${near}?`;
  return `outrigger: there is no command ${word}; ${hint}\n`;
}

function helpText(): string {
  const width = Math.max(...ROLES.map((role) => role.name.length));
  const lines = ROLES.map(
    (role) =>
      `  ${role.name.padEnd(width)}  ${role.summary}${role.load === undefined ? " (not in this release)" : ""}\n`,
  );
  return `Usage: outrigger <command> [flags]\n\nCommands:\n${lines.join("")}  ${"version".padEnd(width)}  print the version\n`;
}

function print(text: string): Command {
  return (_args, host) => {
    host.out(text);
    return Promise.resolve(0);
  };
}

function complain(text: string): Command {
  return (_args, host) => {
    host.err(text);
    return Promise.resolve(1);
  };
}
