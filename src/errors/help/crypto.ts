import type { cryptoErrors } from "../catalogue/crypto.ts";
import { help, type HelpOf } from "./error-help.ts";

export const cryptoHelp: HelpOf<typeof cryptoErrors> = {
  providersNotConfigured: help(
    "This sidecar has no component for cryptography.",
    "Check that `--resources-path` names the folder of the component's file and that its `scopes` name this app.",
  ),
  providerNotFound: help(
    "There are components for cryptography, but none of that name.",
    "Compare the name with `metadata.name` of the component, and its `scopes` with this app's id.",
  ),
  getKey: help(
    "The component has no such key, or could not read it.",
    "Check the key's name: for files it is the file's name in the component's folder, for a JWKS the `kid`.",
    "Check that the process may read it.",
  ),
  operation: help(
    "The key does not fit the algorithm, or what was to be decrypted or verified is not what the key has made.",
    "Compare the key's type with the algorithm: `A256KW` needs 32 bytes, `RSA-OAEP` an RSA key.",
    "Decrypt with the component and key that encrypted it.",
  ),
  document: help(
    "A document could not be encrypted or decrypted: it is cut off, was changed on its way, or its key is not the right one.",
    "Send the document's bytes as they came: no encoding, no line ends changed.",
    "Compare the key in the document's header with the one of the component.",
  ),
};
