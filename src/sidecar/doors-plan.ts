import type { Connections } from "./connections.ts";
import type { Foundation } from "./plan.ts";
import type { SidecarBlocks } from "./types.ts";

/** What the doors of one run are made of. */
export interface DoorsPlan {
  readonly base: Foundation;
  readonly connections: Connections;
  readonly blocks: SidecarBlocks;
}
