import { describe, expect, it } from "vitest";
import { type ConnectionOverrides, readConnectionString } from "./connection-string.ts";

const NONE: ConnectionOverrides = {
  user: undefined,
  host: undefined,
  hostaddr: undefined,
  port: undefined,
  database: undefined,
  password: undefined,
  sslrootcert: undefined,
};

const ALL: ConnectionOverrides = {
  user: "newuser",
  password: "new pass'\\",
  host: "newhost",
  hostaddr: undefined,
  port: "5433",
  database: "newdb",
  sslrootcert: "/certs/root.pem",
};

const ALL_READ = {
  user: "newuser",
  password: "new pass'\\",
  host: "newhost",
  port: "5433",
  database: "newdb",
  sslrootcert: "/certs/root.pem",
};

describe("readConnectionString", () => {
  it.each([
    [
      "host=localhost user=postgres password=example port=5432 connect_timeout=10 database=my_db",
      {
        host: "localhost",
        user: "postgres",
        password: "example",
        port: "5432",
        connect_timeout: "10",
        database: "my_db",
      },
    ],
    ["user=a dbname=b", { user: "a", database: "b" }],
    ["host = h  user\t=  a\npassword=", { host: "h", user: "a", password: "" }],
    ["user= host=h", { user: "host=h" }],
    ["user='' host=h", { host: "h" }],
    [String.raw`password='a b\'c\\d' user=x\ y`, { password: String.raw`a b'c\d`, user: "x y" }],
    ["options='-c search_path=a,b' user=u", { options: "-c search_path=a,b", user: "u" }],
    ["hostaddr=10.0.0.1 host=name", { host: "10.0.0.1" }],
    ["postgres://", {}],
    ["postgresql://h/db", { host: "h", database: "db" }],
    [
      "postgres://u:p@h:1/db?sslmode=disable",
      { user: "u", password: "p", host: "h", port: "1", database: "db", sslmode: "disable" },
    ],
    ["postgres://u%40x:p%3A%2F%3f@h/d%20b", { user: "u@x", password: "p:/?", host: "h", database: "d b" }],
    ["postgres://u:@h/", { user: "u", password: "", host: "h" }],
    ["postgres://a:1,b:2,c/db", { host: "a,b,c", port: "1,2", database: "db" }],
    ["postgres://[::1]:5/db", { host: "::1", port: "5", database: "db" }],
    ["postgres://[::1]/db", { host: "::1", database: "db" }],
    ["postgres:///db?host=/run/pg&port=6", { host: "/run/pg", port: "6", database: "db" }],
    ["postgres://%2Frun%2Fpg/db", { host: "/run/pg", database: "db" }],
    [
      "postgres://h/?application_name=a+b%2Bc&dbname=d&sslmode=x&sslmode=y",
      { host: "h", application_name: "a b+c", database: "d", sslmode: "x" },
    ],
  ])("reads %s", (text, expected) => {
    expect(readConnectionString(text, NONE)).toEqual(expected);
  });

  it.each(["postgres://original:secret@localhost:5432/mydb", "host=localhost user=original dbname=mydb port=1", ""])(
    "lets metadata go before %j",
    (text) => {
      expect(readConnectionString(text, ALL)).toEqual(ALL_READ);
      expect(readConnectionString(text, { ...ALL, hostaddr: "::1" })).toEqual({ ...ALL_READ, host: "::1" });
    },
  );

  it("keeps what metadata does not name", () => {
    const text = "postgres://u:p@h:1/db?sslmode=disable";
    expect(readConnectionString(text, { ...NONE, user: "v" })).toEqual({
      user: "v",
      password: "p",
      host: "h",
      port: "1",
      database: "db",
      sslmode: "disable",
    });
  });

  it.each([
    ["", "failed to build connection string"],
    ["this is not a valid connection string", "failed to build connection string"],
    [
      "user=u password='secret",
      "failed to parse connection string: cannot parse `user=u password=xxxxx`: failed to parse as keyword/value (unterminated quoted string in connection info string)",
    ],
    [
      "postgres://u:secret@h%zz/db",
      'failed to parse connection string: cannot parse `postgres://u:xxxxx@h%zz/db`: failed to parse as URL (invalid URL escape "%zz")',
    ],
    [
      "postgres://u:secret@a:1:2/db",
      "failed to parse connection string: cannot parse `postgres://u:xxxxx@a:1:2/db`: failed to parse as URL (failed to split host:port in 'a:1:2', err: address a:1:2: too many colons in address)",
    ],
  ])("refuses %j without telling the password", (text, message) => {
    expect(() => readConnectionString(text, NONE)).toThrow(
      expect.objectContaining({ name: "ComponentError", kind: "invalidMetadata", message }),
    );
  });
});
