import type { SidecarAddress } from "../dev/sidecar-client.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { DoctorWorld, HttpAnswer } from "./world.ts";

/** The part of `GET /v1.0/metadata` that is read here; a real daprd answers in the same way. */
export interface MetadataAnswer {
  readonly id?: string;
  readonly runtimeVersion?: string;
  readonly components?: readonly { readonly name: string }[];
  readonly appConnectionProperties?: { readonly port?: number; readonly channelAddress?: string };
  readonly actorRuntime?: { readonly runtimeStatus?: string; readonly placement?: string };
}

/** `GET /outrigger/v1/components`, which a daprd does not have. */
export interface ConditionsAnswer {
  readonly components?: readonly {
    readonly name: string;
    readonly type: string;
    readonly condition: string;
    readonly reason?: string;
    readonly rejectedChange?: { readonly reason: string };
  }[];
  readonly reload?: { readonly problems?: readonly string[] };
}

interface SubscriptionAnswer {
  readonly pubsubname: string;
  readonly topic: string;
  readonly state: string;
  readonly waitingFor?: string;
  readonly reason?: string;
  readonly place?: string;
}

/** @returns the answer, or why there is none */
export async function answerOf(
  world: DoctorWorld,
  address: SidecarAddress,
  path: string,
): Promise<HttpAnswer | string> {
  try {
    return await world.get(address, path);
  } catch (error) {
    return errorMessage(error);
  }
}

export async function metadataOf(world: DoctorWorld, address: SidecarAddress): Promise<MetadataAnswer | undefined> {
  return (await jsonOf(world, address, "/v1.0/metadata")) as MetadataAnswer | undefined;
}

export async function conditionsOf(world: DoctorWorld, address: SidecarAddress): Promise<ConditionsAnswer | undefined> {
  return (await jsonOf(world, address, "/outrigger/v1/components")) as ConditionsAnswer | undefined;
}

/** The release of Outrigger; undefined: it does not say, as a daprd does not. */
export async function releaseOf(world: DoctorWorld, address: SidecarAddress): Promise<string | undefined> {
  const answer = (await jsonOf(world, address, "/outrigger/v1/about")) as { readonly release?: string } | undefined;
  return answer?.release;
}

export async function subscriptionsOf(
  world: DoctorWorld,
  address: SidecarAddress,
): Promise<readonly SubscriptionAnswer[]> {
  const answer = (await jsonOf(world, address, "/outrigger/v1/subscriptions")) as
    | { readonly subscriptions?: readonly SubscriptionAnswer[] }
    | undefined;
  return answer?.subscriptions ?? [];
}

/** Undefined where there is no answer, or one that is not JSON: the check of what runs tells that. */
async function jsonOf(world: DoctorWorld, address: SidecarAddress, path: string): Promise<unknown> {
  const answer = await answerOf(world, address, path);
  if (typeof answer === "string" || answer.status !== 200) {
    return undefined;
  }
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}
