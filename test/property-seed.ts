import fc from "fast-check";

/** One seed for everybody, so that a change is judged by what it changes; `npm run properties` looks further. */
const SEED = 20_261_122;

const asked = process.env["PROPERTY_SEED"];
fc.configureGlobal({ seed: asked === undefined ? SEED : Number(asked) });
