import type { Random } from "../kit/random.ts";

const ADJECTIVES =
  "amber bold brave bright brisk calm clear coral crisp deep eager early fair fast fine fleet fresh gentle glad golden grand green happy hardy keen kind light lively lucky merry mild misty neat noble pale plain proud quick quiet rapid ready royal rustic salty sharp shiny silent silver smooth solid steady still stout sunny swift tidal tidy vivid warm wild windy wise witty young".split(
    " ",
  );

const NOUNS =
  "albatross anchor bay beacon boat breeze bridge buoy canoe cape cliff cloud coast comet cove crab crane current delta dolphin drift ferry fjord gale gull harbor heron island kayak keel lagoon lantern lighthouse lobster marlin mast mooring oar ocean otter paddle pearl pelican pier pilot puffin raft reef ridge river rudder sail seal shell shore skipper sloop sparrow storm strait tern tide whale wharf".split(
    " ",
  );

/** A name for an app that was given none: two words, as `dapr run` makes them, easy to say and to type. */
export function randomAppId(random: Random): string {
  return `${pick(ADJECTIVES, random)}-${pick(NOUNS, random)}`;
}

function pick(words: readonly string[], random: Random): string {
  return words[Math.floor(random.next() * words.length)] ?? "";
}
