import { randomBytes } from "node:crypto";

/** Secrets that exist nowhere else, one for each place where a secret goes in, so that a text that has one says where from. */
export class Canaries {
  readonly #planted = new Map<string, string>();

  /** A secret for a place; letters and digits only, so that no escape hides it. */
  plant(place: string): string {
    const known = this.#planted.get(place);
    if (known !== undefined) {
      return known;
    }
    const secret = `canary${randomBytes(9).toString("hex")}`;
    this.#planted.set(place, secret);
    return secret;
  }

  /** A secret that has a form of its own, such as a line of a private key. */
  add(place: string, secret: string): void {
    this.#planted.set(place, secret);
  }

  /** The places whose secret, or its base64, is in a text, each with what stands around it. */
  found(text: string, but: readonly string[] = []): string[] {
    const places: string[] = [];
    for (const [place, secret] of this.#planted) {
      const at = [secret, ...encodings(secret)].map((form) => text.indexOf(form)).find((index) => index !== -1);
      if (at !== undefined && !but.includes(place)) {
        places.push(`${place}: …${text.slice(Math.max(0, at - 160), at + 60)}`);
      }
    }
    return places;
  }
}

/** Base64 of it, whatever stands before it: what is the same in all three alignments. */
function encodings(secret: string): string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.from("x".repeat(shift) + secret).toString("base64");
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
}
