const FIELD_NAME = /^[0-9A-Za-z!#$%&'*+\-.^_`|~]+$/;

/** A binding's answer metadata as `metadata.<key>` fields, in lower case; what cannot be a header is left out or blanked. */
export function metadataHeaders(metadata: Readonly<Record<string, string>>): string[] {
  const headers: string[] = [];
  for (const [key, value] of Object.entries(metadata)) {
    if (FIELD_NAME.test(key)) {
      headers.push(
        `metadata.${key.toLowerCase()}`,
        Buffer.from(value, "utf8")
          .toString("latin1")
          .replace(/[^\t\x20-\x7e\x80-\xff]/g, " "),
      );
    }
  }
  return headers;
}
