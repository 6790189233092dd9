/** The program of a guest's thread. `scripts/build.ts` puts its text here, since the single executable has no file to start from. */
export const GUEST_SCRIPT: { readonly script: string | URL; readonly eval: boolean } = {
  script: new URL("guest.ts", import.meta.url),
  eval: false,
};
