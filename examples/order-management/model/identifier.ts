import { z } from "zod";

/** An id that callers choose; it becomes part of keys and of file names. */
export const identifierSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "an id is 1 to 64 letters, digits, - or _, the first a letter or digit");
