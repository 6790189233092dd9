/** Ways of writing `/admin/secret` so that somebody on the way may read something else, as a path that is not decoded yet. */
export function disguises(): readonly string[] {
  const plain = "admin/secret";
  const everyByte = (text: string): string => Buffer.from(text).toString("hex").replaceAll(/../g, "%$&");
  const layered = (text: string, layers: number): string =>
    Array.from({ length: layers }).reduce<string>((each) => each.replaceAll("%", "%25"), text);
  const long = "x".repeat(2_000);
  const written = [
    plain,
    "ADMIN/Secret",
    "//admin//secret",
    "admin/secret/",
    "./admin/./secret",
    "public/../admin/secret",
    "public/x/../../admin/secret",
    "admin%2Fsecret",
    "admin%2fsecret",
    "%61dmin/secret",
    everyByte(plain),
    everyByte("ADMIN/SECRET"),
    "public%2F..%2Fadmin%2Fsecret",
    "public/%2e%2e/admin/secret",
    "public/%2E./admin/secret",
    "public/.%2e/admin/secret",
    "public%5C..%5Cadmin%5Csecret",
    "public\\..\\admin\\secret",
    "admin\\secret",
    "admin;a=1/secret;b",
    "admin%3Ba=1/secret",
    "public;/../admin/secret",
    "public/..;/admin/secret",
    "public/..%3B/admin/secret",
    "admin/secret%00",
    "admin/secret%00.png",
    "admin/secret%23public",
    "admin/secret%3Fpublic",
    "public%23/../admin/secret",
    "public%3F/../admin/secret",
    "admin%C0%AFsecret",
    "public%C0%AF..%C0%AFadmin%C0%AFsecret",
    "public%E0%80%AF..%E0%80%AFadmin%E0%80%AFsecret",
    "public%F0%80%80%AF..%F0%80%80%AFadmin/secret",
    "%C1%A1dmin/secret",
    "public/%C0%AE%C0%AE/admin/secret",
    "admin%0D/secret",
    "admin%09/../admin/secret",
    "admin/secret%20",
    `${long}/../admin/secret`,
    `${"a/".repeat(500)}${"../".repeat(500)}admin/secret`,
    "/".repeat(2_000) + plain,
  ];
  return [
    ...written,
    ...written
      .filter((path) => path.includes("%"))
      .flatMap((path) => [1, 2, 3, 8].map((layers) => layered(path, layers))),
  ];
}

/** What the most careless of servers makes of a request's path: decoded to the end, parameters and all behind a NUL cut off. */
export function carelessReading(target: string): string {
  let text = target.split("?", 1)[0] ?? "";
  for (;;) {
    const next = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (next === text) {
      break;
    }
    text = next;
  }
  const shortened = text
    .replaceAll(/(?:[\xc0\xc1]|\xe0[\x80\x81]|\xf0\x80[\x80\x81])[\x80-\xbf]/g, (bytes) => {
      const [high, low] = [bytes.charCodeAt(bytes.length - 2), bytes.charCodeAt(bytes.length - 1)];
      return String.fromCharCode(((high & 1) << 6) | (low & 0x3f));
    })
    .replace(/[\0#?].*$/s, "")
    .replaceAll("\\", "/")
    .replaceAll(/;[^/]*/g, "");
  const segments: string[] = [];
  for (const segment of shortened.split("/")) {
    if (segment === "..") {
      segments.pop();
    } else if (segment !== "" && segment !== ".") {
      segments.push(segment);
    }
  }
  return `/${segments.join("/")}`.toLowerCase();
}
