/** User and password of a URL. */
export const USER_INFO = /:\/\/[^\s/@:"]*:([^\s/@"]+)@/g;

/** A text without the passwords of the URLs in it. */
export function hideUserInfo(text: string, shown = "(hidden)"): string {
  return text.replace(USER_INFO, (found, password: string) => found.replace(`:${password}@`, () => `:${shown}@`));
}
