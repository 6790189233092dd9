import type { MetadataField } from "../spi/component.ts";

/** Metadata of the binding. Fields of the address override the same parts of the connection string. */
export const POSTGRESQL_FIELDS = [
  {
    name: "connectionString",
    kind: "string",
    sensitive: true,
    aliases: ["url"],
    description:
      "postgres://user:password@host:5432/database?sslmode=require, or the same as `host=… user=… dbname=…`; with pool_max_conns and the other pool_ settings of pgx.",
  },
  { name: "host", kind: "string", description: "Host of the server, or the folder of its Unix socket." },
  { name: "hostaddr", kind: "string", description: "Address of the server, in place of host." },
  { name: "port", kind: "string", description: "Port of the server." },
  { name: "database", kind: "string", description: "Name of the database." },
  { name: "user", kind: "string", description: "User of the database." },
  { name: "password", kind: "string", sensitive: true, description: "The user's password." },
  {
    name: "sslRootCert",
    kind: "string",
    description: "File with the certificate authorities that may vouch for the server.",
  },
  {
    name: "timeout",
    kind: "duration",
    default: "20s",
    aliases: ["timeoutInSeconds"],
    description: "Longest time to find the server at start, and later for a request to get a connection.",
  },
  {
    name: "maxConns",
    kind: "integer",
    default: "0",
    description: "Most connections at a time, from 2 on; else pool_max_conns counts, then 4 or one per processor.",
  },
  { name: "connectionMaxIdleTime", kind: "duration", description: "How long an idle connection is kept; 30 minutes." },
  {
    name: "queryExecMode",
    kind: "string",
    description: "cache_statement (the default), cache_describe, describe_exec, exec or simple_protocol.",
  },
  { name: "useAzureAD", kind: "boolean", default: "false", description: "Refused by this release." },
  { name: "useAWSIAM", kind: "boolean", default: "false", description: "Refused by this release." },
  { name: "awsAccessKey", kind: "string", sensitive: true, description: "Only with useAWSIAM." },
  { name: "awsSecretKey", kind: "string", sensitive: true, description: "Only with useAWSIAM." },
] as const satisfies readonly MetadataField[];
