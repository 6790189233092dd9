/** What the process's environment gives; handed in, so that tests and other shapes can make one up. */
export type Environment = Readonly<Record<string, string | undefined>>;
