import { z } from "zod";

/** The request of a command of which the actor's id says all. */
export const nothingSchema = z.strictObject({});
