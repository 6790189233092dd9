import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const FOLDER = resolve(import.meta.dirname, "../../deploy/systemd");

/** A unit file: its lines with continuations joined, comments left out. */
export class SystemdUnit {
  readonly text: string;

  constructor(name: string) {
    this.text = readFileSync(resolve(FOLDER, name), "utf8")
      .replaceAll(/^[#;].*\n/gm, "")
      .replaceAll(/\\\n\s*/g, "");
  }

  /** All values of a setting, in their order. */
  values(setting: string): readonly string[] {
    return [...this.text.matchAll(new RegExp(`^${setting}=(.*)$`, "gm"))].map(([, value = ""]) => value);
  }

  /** The command as a shell reads it, for an instance of the unit; `${VARIABLE}` is the shell's, too. */
  command(instance = ""): string {
    return (this.values("ExecStart")[0] ?? "").replaceAll("%i", instance).replaceAll("$$", "$");
  }

  /** The role and the flags that the command starts it with. */
  invocation(): { readonly role: string; readonly flags: readonly string[] } {
    const [, role = "", rest = ""] = /\/usr\/bin\/outrigger (\w+)(.*)$/.exec(this.command("app")) ?? [];
    return { role, flags: [...rest.matchAll(/ --([a-z0-9-]+)/g)].map(([, flag = ""]) => flag) };
  }
}

/** A file of `NAME=value` lines as the units read it. */
export function readEnvironmentFile(name: string): Readonly<Record<string, string>> {
  const lines = readFileSync(resolve(FOLDER, name), "utf8").split("\n");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}

export const SYSTEMD_FOLDER = FOLDER;
