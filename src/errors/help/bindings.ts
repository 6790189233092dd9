import type { bindingErrors } from "../catalogue/bindings.ts";
import { help, type HelpOf } from "./error-help.ts";

export const bindingHelp: HelpOf<typeof bindingErrors> = {
  invokeOutput: help(
    "An output binding does not exist in this sidecar, does not know the operation, or what is behind it has failed. The reason is at the end of the text.",
    "`couldn't find output binding`: check the component's name and its `scopes`.",
    "`binding … does not support operation`: see the operations of its type in the reference of components.",
    "Everything else comes from the system behind it: look there, and at `GET /outrigger/v1/components`.",
  ),
};
