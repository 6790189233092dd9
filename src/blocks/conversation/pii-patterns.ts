/** One kind of personal data: how it is found (RE2 syntax) and what takes its place. */
export interface PiiEntity {
  readonly placeholder: string;
  readonly patterns: readonly string[];
}

const IPV4_OCTET = String.raw`(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)`;
const IPV4 = String.raw`(?:${IPV4_OCTET}\.){3}${IPV4_OCTET}`;

/** North American numbers with an extension. */
const PHONE_WITH_EXTENSION = [
  String.raw`(?i)(?:(?:\+?1\s*(?:[.-]\s*)?)?`,
  String.raw`(?:\(\s*(?:[2-9]1[02-9]|[2-9][02-8]1|[2-9][02-8][02-9])\s*\)|(?:[2-9]1[02-9]|[2-9][02-8]1|[2-9][02-8][02-9]))`,
  String.raw`\s*(?:[.-]\s*)?)?(?:[2-9]1[02-9]|[2-9][02-9]1|[2-9][02-9]{2})\s*(?:[.-]\s*)?(?:[0-9]{4})`,
  String.raw`(?:\s*(?:#|x\.?|ext\.?|extension)\s*(?:\d+)?)`,
].join("");

/** The slashes at both ends belong to it: two of the three forms match only beside them, as in Dapr. */
const PHONE = [
  String.raw`/(?:(?:\+?\d{1,3}[-.\s*]?)?(?:\d\s?){8,11})`,
  String.raw`(?:(?:\+?\d{1,3}[-.\s*]?)?(?:\(?\d{2,3}\)?[-.\s*]?)?\d{2,3}[-.\s*]?\d{2,6})`,
  String.raw`(?:(?:(?:\(\+?\d{1,2}\))|(?:\+?\d{1,2}))\s*\d{2}\s*\d{3}\s*\d{4})/gm`,
].join("|");

const STREET_WORDS =
  "street|st|avenue|ave|road|rd|highway|hwy|square|sq|trail|trl|drive|dr|court|ct|park|parkway|pkwy|circle|cir|boulevard|blvd";

/** Text in balanced parentheses, two deep, or without any. */
const LINK_BODY = String.raw`(?:[^\s()<>]+|\((?:[^\s()<>]+|(?:\([^\s()<>]+\)))*\))`;

/**
 * What is hidden. The expressions are those of the library in Dapr: which texts change, and into what, is a fact of the
 * API that apps and tests rely on.
 */
export const PII_ENTITIES: readonly PiiEntity[] = [
  { placeholder: "<STREET_ADDRESS>", patterns: [String.raw`(?i)\d{1,4} [\w\s]{1,20}(?:${STREET_WORDS})\W?`] },
  { placeholder: "<CREDIT_CARD>", patterns: [String.raw`(?:(?:(?:\d{4}[- ]?){3}\d{4}|\d{15,16}))`] },
  { placeholder: "<PHONE_NUMBER>", patterns: [PHONE_WITH_EXTENSION, PHONE] },
  {
    placeholder: "<EMAIL_ADDRESS>",
    patterns: [
      String.raw`(?i)([A-Za-z0-9!#$%&'*+\/=?^_{|.}~-]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)`,
    ],
  },
  { placeholder: "<IP>", patterns: [IPV4, ipv6()] },
  { placeholder: "<ZIP_CODE>", patterns: [String.raw`\b\d{5}(?:[-\s]\d{4})?\b`] },
  { placeholder: "<PO_BOX>", patterns: [String.raw`(?i)P\.? ?O\.? Box \d+`] },
  { placeholder: "<US_SSN>", patterns: [String.raw`(?:\d{3}-\d{2}-\d{4})`] },
  { placeholder: "<ISBN>", patterns: [String.raw`(?:[\d]-?){9}[\dxX]`, String.raw`(?:[\d]-?){12}[\dxX]`] },
  { placeholder: "<MAC_ADDRESS>", patterns: ["(([a-fA-F0-9]{2}[:-]){5}([a-fA-F0-9]{2}))"] },
  { placeholder: "<IBAN>", patterns: [String.raw`[A-Z]{2}\d{2}[A-Z0-9]{4}\d{7}([A-Z\d]?){0,16}`] },
];

/** What touches one of these is left as it is: links and addresses of Git repositories. */
export const PII_EXCEPTIONS: readonly string[] = [
  String.raw`(?:(?:https?:\/\/)(?:[a-z0-9.\-]+|www|[a-z0-9.\-])[.]${LINK_BODY}+(?:\((?:[^\s()<>]+|(?:\([^\s()<>]+\)))*\)|[^\s!()\[\]{};:\'".,<>?]))`,
  String.raw`((git|ssh|http(s)?)|(git@[\w\.]+))(:(\/\/)?)([\w\.@\:/\-~]+)(\.git)(\/)?`,
];

/** Eight groups, or fewer with `::` in one place, the last two perhaps as IPv4; a zone and spaces may follow. */
function ipv6(): string {
  const group = "[0-9A-Fa-f]{1,4}";
  const octet = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
  const dotted = String.raw`(?:${octet}(?:\.${octet}){3})`;
  const forms = [`(?:${group}:){7}(?:${group}|:)`, `(?:${group}:){6}(?::${group}|${dotted}|:)`];
  for (let before = 5; before >= 0; before -= 1) {
    const head = before === 0 ? ":" : `(?:${group}:){${before}}`;
    forms.push(`${head}(?:(?::${group}){1,${7 - before}}|(?::${group}){0,${5 - before}}:${dotted}|:)`);
  }
  return String.raw`(?:${forms.join("|")})(?:%.+)?\s*`;
}
