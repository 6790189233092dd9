import type { ParsedFlags } from "./flag-set.ts";
import type { SidecarFlag } from "./sidecar-flags.ts";

/** A flag that asks for what this release does not have; anything but its off value keeps the sidecar from starting. */
interface UnbuiltFlag {
  readonly name: SidecarFlag["name"];
  asksForIt(flags: ParsedFlags<SidecarFlag>): boolean;
  readonly missing: string;
  readonly off: string;
}

const UNBUILT: readonly UnbuiltFlag[] = [
  {
    name: "mode",
    asksForIt: (flags) => flags.text("mode") !== "standalone",
    missing: "running in Kubernetes",
    off: "--mode=standalone",
  },
];

/** What the first flag that asks for too much would need, in a sentence that names the flag and its off value. */
export function unbuiltFlagProblem(flags: ParsedFlags<SidecarFlag>): string | undefined {
  const unbuilt = UNBUILT.find((flag) => flag.asksForIt(flags));
  return unbuilt === undefined
    ? undefined
    : `--${unbuilt.name} asks for ${unbuilt.missing}, which this release does not have; ${unbuilt.off} is accepted`;
}

/** Scripts switch an address off with an empty text, a pair of quotes or a lone comma. */
export function namesAddress(value: string): boolean {
  return /[^\s,'"]/.test(value);
}
