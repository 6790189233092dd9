import type { BindingReply } from "../../app/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { StateBlock } from "../state/state-block.ts";
import type { BindingsBlock } from "./bindings-block.ts";

/** What an app's answer to a binding's event may set in motion. */
export interface DirectionPorts {
  readonly state: Pick<StateBlock, "save">;
  readonly outputs: BindingsBlock;
}

/**
 * Saves the state and calls the output bindings that an app's answer names. Failures are logged: the app has taken the
 * event, and giving it back would not undo that. One after the other, the first output that fails ends the list.
 */
export async function followDirections(reply: BindingReply, ports: DirectionPorts, logger: Logger): Promise<void> {
  const saving = reply.states.length > 0 ? saveStates(reply, ports, logger) : undefined;
  if (reply.to.length > 0) {
    await (reply.parallel ? callTogether(reply, ports, logger) : callInTurn(reply, ports, logger));
  }
  await saving;
}

async function saveStates(
  { storeName, states }: BindingReply,
  { state }: DirectionPorts,
  logger: Logger,
): Promise<void> {
  try {
    await state.save({ store: storeName, items: states });
  } catch (error) {
    logger.error(`error saving state from app response: ${errorMessage(error)}`);
  }
}

async function callTogether(reply: BindingReply, ports: DirectionPorts, logger: Logger): Promise<void> {
  await Promise.all(
    reply.to.map(async (binding) => {
      try {
        await callOne(binding, reply, ports);
      } catch (error) {
        logger.error(errorMessage(error));
      }
    }),
  );
}

async function callInTurn(reply: BindingReply, ports: DirectionPorts, logger: Logger): Promise<void> {
  try {
    for (const binding of reply.to) {
      await callOne(binding, reply, ports);
    }
  } catch (error) {
    logger.error(`error executing app response: ${errorMessage(error)}`);
  }
}

async function callOne(binding: string, { data }: BindingReply, { outputs }: DirectionPorts): Promise<void> {
  await outputs.invoke({ binding, operation: "create", data, metadata: {} });
}
