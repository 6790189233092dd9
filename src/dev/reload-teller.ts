import type { ChangedResource } from "../inventory/types.ts";
import type { LineConsole } from "./types.ts";

/** Resources named in one message. */
const NAMES_MAX = 5;

/** What a sidecar has taken over as it ran. */
export interface AppReload {
  readonly appId: string;
  readonly changed: readonly ChangedResource[];
}

/** Says in one line what sidecars have taken over, once for all to which the same has happened. */
export function tellReload(console: LineConsole, reloads: readonly AppReload[]): void {
  const effective = reloads.filter(({ changed }) => changed.length > 0);
  for (const same of Map.groupBy(effective, ({ changed }) => JSON.stringify(changed)).values()) {
    const apps = same.map(({ appId }) => appId);
    const [only, ...others] = apps;
    console.say(
      "info",
      others.length === 0 ? only : undefined,
      `${changesText(same[0]?.changed ?? [])}: in use by ${listText(apps)}, and nothing has restarted`,
    );
  }
}

function changesText(changed: readonly ChangedResource[]): string {
  const named = changed.slice(0, NAMES_MAX).map(({ kind, name, change }) => `${kind} ${name} ${change}`);
  const more = changed.length - named.length;
  return listText(more === 0 ? named : [...named, `${more} more`]);
}

/** `a`, `a and b`, `a, b and c`. */
function listText(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
