// `npm run properties -- [rounds] [file …]`: the property tests with new seeds, round after round, until one fails.
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";

const ROUNDS_DEFAULT = 10;
const [rounds = String(ROUNDS_DEFAULT), ...files] = process.argv.slice(2);

for (let round = 1; round <= Number(rounds) && process.exitCode === undefined; round += 1) {
  const seed = String(randomInt(2 ** 31));
  console.log(`round ${round} of ${rounds}: PROPERTY_SEED=${seed}`);
  const { status } = spawnSync("vitest", ["run", "--project", "property", ...files], {
    stdio: "inherit",
    env: { ...process.env, PROPERTY_SEED: seed },
  });
  if (status !== 0) {
    console.error(`seen again with: PROPERTY_SEED=${seed} npx vitest run --project property`);
    process.exitCode = 1;
  }
}
