import fc from "fast-check";

const asked = process.env["PROPERTY_SEED"];

/** One seed for everybody, so that a change is judged by what it changes; `npm run properties` looks further. */
export const PROPERTY_SEED = asked === undefined ? 20_261_122 : Number(asked);

fc.configureGlobal({ seed: PROPERTY_SEED });
