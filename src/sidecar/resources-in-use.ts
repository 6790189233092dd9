import type { ReloadState } from "../inventory/types.ts";
import type { LoadedResources } from "../resources/types.ts";

/** The resources that a sidecar runs with at this moment, and how following their changes goes. */
export class ResourcesInUse {
  current: LoadedResources;
  /** Undefined: changes are not followed. */
  reload: ReloadState | undefined;
  /** Compares now; resolves when what has changed is in use or was refused. */
  reloadNow: (() => Promise<ReloadState>) | undefined;

  constructor(loaded: LoadedResources) {
    this.current = loaded;
  }
}
