import type { SidecarAddress } from "../dev/sidecar-client.ts";
import type { SidecarOptions } from "../sidecar/options.ts";

/** An app as it is planned: what its sidecar is started with. Ports of 0 are picked when it starts. */
export interface PlannedApp {
  readonly appId: string;
  readonly options: SidecarOptions;
  /** Relative paths in components' metadata start here. */
  readonly directory: string;
  /** What the sidecar inherits. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A sidecar that runs. */
export interface RunningSidecar {
  /** The app's id where it is known, else the address. */
  readonly name: string;
  readonly address: SidecarAddress;
}

/** What the doctor looks at. */
export interface SetUp {
  readonly apps: readonly PlannedApp[];
  readonly sidecars: readonly RunningSidecar[];
  /** All apps there are: names that none of them has are wrong. */
  readonly isWhole: boolean;
  /** The planned apps are up already: that their ports are taken is as it should be. */
  readonly isUp: boolean;
  /** Components that come without being written down. */
  readonly givenComponents: readonly string[];
  /** The control plane comes with the apps. */
  readonly bringsControlPlane: boolean;
  /** Paths are told as seen from here. */
  readonly directory: string;
}
