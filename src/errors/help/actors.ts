import type { actorErrors } from "../catalogue/actors.ts";
import { help, type HelpOf } from "./error-help.ts";

export const actorHelp: HelpOf<typeof actorErrors> = {
  reminderNotHosted: help(
    "An app asked for a reminder of an actor type that it does not host itself. A reminder belongs to the app that hosts the type.",
    "Register the reminder from within the actor, or call a method of the actor that does so.",
    "Check the `entities` that the app answers on `GET /dapr/config`: the type must be in there, with the same upper and lower case.",
  ),
  typeReserved: help(
    "Actor types whose names begin with `dapr.internal.` belong to the runtime's workflows and cannot be called as actors.",
    "Use the workflow API of the SDK instead of the actor API.",
    "Give an actor type of your own another name.",
  ),
  stateStoreMissing: help(
    "The state of actors was asked for, but no state store of this sidecar is the actors' one.",
    'Set `- name: actorStateStore` with `value: "true"` in the metadata of exactly one state store that has transactions and etags.',
    "Check that the component's `scopes` name this app and that the component is ready: `GET /v1.0/metadata`.",
  ),
  instanceMissing: help(
    "State was asked of an actor that is not active in this sidecar: it was never called here, was idle for too long, or has moved to another host.",
    "Use the state API only from within a turn of that actor.",
    "Call the actor instead of its state; the call brings it to the host that owns it.",
  ),
  invoke: help(
    "The call reached no turn, or the turn failed: the app answered with an error, a peer could not be reached, or a resiliency policy gave up (`timeout`, `circuit breaker is open`). The reason is at the end of the text.",
    "Read the reason. A status of the app is in the app's log; `circuit breaker is open` means that earlier calls failed.",
    "Check with `GET /v1.0/metadata` of the host that it has the type and that its placement says `connected`.",
    "Repeat only what may run twice: the turn may have run to its end.",
  ),
  stateGet: help(
    "The actors' state store did not answer a read.",
    "Read the reason, then the log of the store's component.",
    "Look at the component's condition under `GET /outrigger/v1/components`.",
  ),
  stateTransaction: help(
    "The actors' state store refused a transaction, or could not be reached.",
    "Read the reason: a key or value that is too large, a lost connection, missing rights.",
    "Let the turn fail: with the next call the actor loads its state afresh.",
  ),
  stateFenced: help(
    "Another activation of the same actor has begun elsewhere, so this one may not write any more. Nothing of the transaction was written.",
    "Repeat the call: it is routed to the host that owns the actor now.",
    "Where it comes often, look for hosts that freeze or whose clocks jump, and for a placement service under heavy load.",
  ),
  stateUncertain: help(
    "The connection to the store broke, or its time was over, while a transaction was on its way: it may or may not have been written.",
    "Repeat the call if it may run twice. The actor reads its state again first.",
    "Give commands an id and store it with what they changed, so that a repeat does nothing.",
  ),
  stateKeyReserved: help(
    "The key is one that the runtime keeps for itself beside an actor's state.",
    "Choose another key.",
  ),
  reminderCreate: help(
    "The scheduler did not accept a reminder.",
    "Check the due time, period and TTL: `R5/PT10S`, `@every 1m`, Go durations such as `1h15m`, or RFC 3339.",
    "Check that the scheduler can be reached: `GET /v1.0/metadata` says which schedulers are connected.",
  ),
  reminderGet: help(
    "The scheduler did not answer when asked for a reminder.",
    "Check that the scheduler can be reached and that its storage is well.",
  ),
  reminderDelete: help(
    "The scheduler did not delete a reminder. It may still come.",
    "Repeat it: to delete what is not there is no error.",
    "Check that the scheduler can be reached.",
  ),
  reminderNotFound: help(
    "There is no reminder of that name: it was never created, has come for the last time, or has been deleted.",
    "Check the name, the actor type and the actor's id; all three are part of a reminder's identity.",
  ),
  reminderExists: help(
    "There is a reminder of that name already, and the request asked not to overwrite it.",
    "Ask for it with `overwrite`, or delete the old one first.",
  ),
  timerCreate: help(
    "A timer could not be created: its due time, period or TTL cannot be read, or the actor is not active.",
    "Check the three times; the reason names the one that is wrong.",
    "Create timers only within a turn of the actor.",
  ),
  stackDepth: help(
    "A chain of reentrant calls has come back to the same actor too often.",
    "Look for actors that call each other without end.",
    "Raise `reentrancy.maxStackDepth` in the app's answer on `GET /dapr/config` if the depth is meant (32 by default).",
  ),
  noPlacement: help(
    "The sidecar runs without a placement service, so it has no actors.",
    "Start the sidecar with `--placement-host-address`, or run the app under `outrigger dev`, which brings one.",
  ),
  closed: help(
    "The sidecar is stopping: it takes no more calls of actors.",
    "Repeat the call: it goes to the sidecar that owns the actor then.",
  ),
  noAddress: help(
    "No host of the actor type is known to the placement service.",
    "Check that an app that hosts the type runs, is healthy, and is connected to the same placement service and namespace.",
    "Compare the type's name, letter by letter, with `entities` of the app's `GET /dapr/config`.",
  ),
};
