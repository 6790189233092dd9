import { describe, expect, it } from "vitest";
import { FlagError, parseFlags, usageText, type FlagDefinition } from "./flag-set.ts";

const FLAGS = [
  { name: "app-id", kind: "string", default: "", description: "The app." },
  { name: "verbose", kind: "bool", default: "false", description: "Say more." },
  { name: "retries", kind: "int", default: "3", description: "Tries." },
  { name: "wait-for", kind: "duration", default: "5s", description: "Patience." },
  { name: "path", kind: "strings", default: "[]", description: "Folders." },
  { name: "mode", kind: "string", default: "plain", description: "Mode." },
  { name: "old", kind: "bool", default: "false", description: "", deprecated: "use --verbose" },
] as const satisfies readonly FlagDefinition[];

const parse = (...args: string[]) => parseFlags(FLAGS, args);

describe("parseFlags", () => {
  it("gives defaults", () => {
    const flags = parse();
    expect([
      flags.text("app-id"),
      flags.bool("verbose"),
      flags.integer("retries"),
      flags.milliseconds("wait-for"),
      flags.list("path"),
    ]).toEqual(["", false, 3, 5_000, []]);
    expect(flags.given("retries")).toBe(false);
  });

  it.each([[["--app-id", "a"]], [["--app-id=a"]], [["-app-id", "a"]], [["-app-id=a"]]])("reads %j", (args) => {
    const flags = parse(...args);
    expect(flags.text("app-id")).toBe("a");
    expect(flags.given("app-id")).toBe(true);
  });

  it("takes the next word as it is, dashes and all", () => {
    expect(parse("--app-id", "--verbose").text("app-id")).toBe("--verbose");
    expect(parse("--retries", "-10").integer("retries")).toBe(-10);
  });

  it.each([
    ["--verbose", true],
    ["--verbose=true", true],
    ["-verbose=1", true],
    ["--verbose=F", false],
    ["--verbose=0", false],
  ])("reads the boolean %s", (arg, value) => {
    expect(parse(arg).bool("verbose")).toBe(value);
  });

  it("does not take a boolean's value from the next word", () => {
    expect(parse("--verbose", "false").bool("verbose")).toBe(true);
  });

  it("gathers lists from repeats and commas", () => {
    expect(parse("--path=a,b", "--path", "c", '--path="d,e"').list("path")).toEqual(["a", "b", "c", "d,e"]);
    expect(parse("--path=").list("path")).toEqual([]);
  });

  it("lets the last of several values win", () => {
    expect(parse("--retries=1", "--retries=2").integer("retries")).toBe(2);
  });

  it("ignores other words and all after two dashes", () => {
    expect(parse("word", "-", "--app-id=a", "--", "--app-id=b", "--unknown").text("app-id")).toBe("a");
  });

  it("tells deprecated flags", () => {
    expect(parse("--old").notices).toEqual(["Flag --old has been deprecated, use --verbose"]);
  });

  it("asks for help", () => {
    expect([parse("--help").help, parse("-h").help, parse("-help").help, parse("--app-id=a").help]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it.each([
    [["--ap-id=x"], "unknown flag: --ap-id (did you mean --app-id?)"],
    [["--zzzzz"], "unknown flag: --zzzzz"],
    [["--olf"], "unknown flag: --olf"],
    [["-x"], "unknown shorthand flag: 'x' in -x"],
    [["---app-id"], "bad flag syntax: ---app-id"],
    [["--=x"], "bad flag syntax: --=x"],
    [["--app-id"], "flag needs an argument: --app-id"],
    [["--retries=x"], 'invalid argument "x" for "--retries" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [
      ["--verbose=maybe"],
      'invalid argument "maybe" for "--verbose" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [["--wait-for=5"], 'invalid argument "5" for "--wait-for" flag: time: missing unit in duration "5"'],
  ])("refuses %j", (args, message) => {
    expect(() => parse(...args)).toThrow(new FlagError(message));
  });
});

describe("shorthands", () => {
  const SHORT = [
    { name: "app-id", kind: "string", default: "", description: "The app.", shorthand: "a" },
    { name: "port", kind: "int", default: "-1", description: "The port.", shorthand: "p" },
    { name: "quiet", kind: "bool", default: "false", description: "Say less.", shorthand: "q" },
    { name: "verbose", kind: "bool", default: "false", description: "Say more.", shorthand: "v" },
  ] as const satisfies readonly FlagDefinition[];
  const short = (...args: string[]) => parseFlags(SHORT, args);

  it.each([[["-p", "80"]], [["-p80"]], [["-p=80"]], [["-qp80"]], [["-qvp", "80"]]])("reads %j", (args) => {
    expect([short(...args).integer("port"), short(...args).words]).toEqual([80, []]);
  });

  it("reads booleans that stand together, and one with its value", () => {
    const flags = short("-vq=false", "word");
    expect([flags.bool("verbose"), flags.bool("quiet"), flags.given("quiet"), flags.words]).toEqual([
      true,
      false,
      true,
      ["word"],
    ]);
  });

  it("prefers a flag's whole name, and takes the next word whatever it is", () => {
    expect(short("-app-id", "x").text("app-id")).toBe("x");
    expect(short("-a", "-", "-p", "-5").text("app-id")).toBe("-");
  });

  it("asks for help", () => {
    expect([short("-h").help, short("-qh").help]).toEqual([true, true]);
  });

  it.each([
    [["-x"], "unknown shorthand flag: 'x' in -x"],
    [["-qx"], "unknown shorthand flag: 'x' in -qx"],
    [["-qp"], "flag needs an argument: 'p' in -qp"],
    [["-px"], 'invalid argument "x" for "-p, --port" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [["-xy"], "unknown flag: --xy"],
  ])("refuses %j", (args, message) => {
    expect(() => short(...args)).toThrow(new FlagError(message));
  });

  it("stand before the names in help", () => {
    expect(
      usageText("run", [...SHORT.slice(1, 3), { name: "x", kind: "bool", default: "false", description: "X." }]),
    ).toBe(
      "Usage of run:\n  -p, --port int   The port. (default -1)\n  -q, --quiet      Say less.\n      --x          X.\n",
    );
  });
});

it("keeps words that are no flags, and all after two dashes", () => {
  expect(parse("one", "--app-id=a", "-", "two", "--", "--app-id=b", "--").words).toEqual([
    "one",
    "-",
    "two",
    "--app-id=b",
    "--",
  ]);
});

it("writes help as pflag does, without deprecated flags", () => {
  expect(usageText("daprd", FLAGS)).toBe(
    [
      "Usage of daprd:",
      "      --app-id string       The app.",
      '      --mode string         Mode. (default "plain")',
      "      --path strings        Folders.",
      "      --retries int         Tries. (default 3)",
      "      --verbose             Say more.",
      "      --wait-for duration   Patience. (default 5s)",
      "",
    ].join("\n"),
  );
});
