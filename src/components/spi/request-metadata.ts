/** What callers say of one request to a component: what the API doors take as `metadata.<name>`. */
export type RequestMetadata = Readonly<Record<string, string>>;
