import { readFile } from "node:fs/promises";
import { ComponentError } from "../spi/errors.ts";

const PEM = /-----BEGIN [^-]+-----/;

/** The PEM text of a field that holds it or the path of a file with it. @throws ComponentError naming the field */
export async function readPem(field: string, value: string): Promise<string> {
  if (PEM.test(value)) {
    return value;
  }
  try {
    return await readFile(value, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ComponentError(
      "invalidMetadata",
      `provided "${field}" value is neither a valid file path or nor a valid pem encoded string: ${reason}`,
      { cause, facts: { field } },
    );
  }
}
