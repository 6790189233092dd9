import { arrayOf, multirangeOf, rangeOf, recordOf, writeTextArray } from "./containers.ts";
import { writeCircle, writeLine, writePath, writePoint, writePointPair, writePolygon } from "./geometry.ts";
import {
  type ValueWriter,
  writeBinaryJsonb,
  writeBits,
  writeBool,
  writeBytes,
  writeChar,
  writeFloat4,
  writeFloat8,
  writeInet,
  writeInt2,
  writeInt4,
  writeInt8,
  writeJson,
  writeNumeric,
  writeText,
  writeTid,
  writeTsvector,
  writeUint4,
  writeUint8,
  writeUuid,
} from "./scalars.ts";
import { writeDate, writeInterval, writeTime, writeTimestamp, writeTimestamptz } from "./times.ts";

/** Format codes of the protocol. */
export const TEXT = 0;
export const BINARY = 1;
export type Format = typeof TEXT | typeof BINARY;

/** How a parameter decoded from JSON becomes a value of the type; `other` takes texts only. */
export type ParameterKind = "integer" | "float" | "numeric" | "text" | "json" | "bool" | "other";

/** A built-in type as Go's driver knows it. */
export interface PostgresType {
  readonly oid: number;
  readonly name: string;
  /** The format that its values are asked for in, and that errors about parameters name. */
  readonly format: Format;
  readonly parameter: ParameterKind;
  readonly write: ValueWriter;
  /** Its values inside arrays, ranges and records, which are binary. */
  readonly writeInside: ValueWriter;
  /** Set for arrays. */
  readonly element: PostgresType | undefined;
}

type Row = readonly [
  name: string,
  oid: number,
  arrayOid: number,
  format: Format,
  parameter: ParameterKind,
  write: ValueWriter,
  writeInside?: ValueWriter,
];

/** OIDs of PostgreSQL's catalogue `pg_type`; they never change. */
const SCALARS: readonly Row[] = [
  ["bool", 16, 1000, BINARY, "bool", writeBool],
  ["bytea", 17, 1001, BINARY, "other", writeBytes],
  ["char", 18, 1002, BINARY, "other", writeChar],
  ["name", 19, 1003, TEXT, "text", writeText],
  ["int8", 20, 1016, BINARY, "integer", writeInt8],
  ["int2", 21, 1005, BINARY, "integer", writeInt2],
  ["int4", 23, 1007, BINARY, "integer", writeInt4],
  ["text", 25, 1009, TEXT, "text", writeText],
  ["oid", 26, 1028, BINARY, "integer", writeUint4],
  ["tid", 27, 1010, BINARY, "other", writeTid],
  ["xid", 28, 1011, BINARY, "integer", writeUint4],
  ["cid", 29, 1012, BINARY, "integer", writeUint4],
  ["json", 114, 199, TEXT, "json", writeJson],
  ["xml", 142, 143, TEXT, "other", writeBytes],
  ["point", 600, 1017, BINARY, "other", writePoint],
  ["lseg", 601, 1018, BINARY, "other", writePointPair],
  ["path", 602, 1019, BINARY, "other", writePath],
  ["box", 603, 1020, BINARY, "other", writePointPair],
  ["polygon", 604, 1027, BINARY, "other", writePolygon],
  ["line", 628, 629, BINARY, "other", writeLine],
  ["cidr", 650, 651, BINARY, "other", writeInet],
  ["float4", 700, 1021, BINARY, "float", writeFloat4],
  ["float8", 701, 1022, BINARY, "float", writeFloat8],
  ["unknown", 705, 0, TEXT, "text", writeText],
  ["circle", 718, 719, BINARY, "other", writeCircle],
  ["macaddr8", 774, 775, BINARY, "other", writeBytes],
  ["macaddr", 829, 1040, BINARY, "other", writeBytes],
  ["inet", 869, 1041, BINARY, "other", writeInet],
  ["bpchar", 1042, 1014, TEXT, "text", writeText],
  ["varchar", 1043, 1015, TEXT, "text", writeText],
  ["date", 1082, 1182, BINARY, "other", writeDate],
  ["time", 1083, 1183, BINARY, "other", writeTime],
  ["timestamp", 1114, 1115, BINARY, "other", writeTimestamp],
  ["timestamptz", 1184, 1185, BINARY, "other", writeTimestamptz],
  ["interval", 1186, 1187, BINARY, "other", writeInterval],
  ["bit", 1560, 1561, BINARY, "other", writeBits],
  ["varbit", 1562, 1563, BINARY, "other", writeBits],
  ["numeric", 1700, 1231, BINARY, "numeric", writeNumeric],
  ["uuid", 2950, 2951, BINARY, "other", writeUuid],
  ["tsvector", 3614, 3643, BINARY, "other", writeTsvector],
  ["jsonb", 3802, 3807, TEXT, "json", writeJson, writeBinaryJsonb],
  ["xid8", 5069, 271, BINARY, "integer", writeUint8],
];

/** name of the range, its OID, that of arrays of it, its multirange's name and OID, and the type of its bounds. */
const RANGES: readonly (readonly [string, number, number, string, number, number])[] = [
  ["int4range", 3904, 3905, "int4multirange", 4451, 23],
  ["numrange", 3906, 3907, "nummultirange", 4532, 1700],
  ["tsrange", 3908, 3909, "tsmultirange", 4533, 1114],
  ["tstzrange", 3910, 3911, "tstzmultirange", 4534, 1184],
  ["daterange", 3912, 3913, "datemultirange", 4535, 1082],
  ["int8range", 3926, 3927, "int8multirange", 4536, 20],
];

/** Types without a binary form: their arrays come as text too. */
const TEXT_ONLY: readonly (readonly [string, number, number])[] = [
  ["aclitem", 1033, 1034],
  ["jsonpath", 4072, 4073],
];

const RECORD_OID = 2249;
const RECORD_ARRAY_OID = 2287;

function typeTable(): ReadonlyMap<number, PostgresType> {
  const types = new Map<number, PostgresType>();
  const add = (name: string, oid: number, format: Format, write: ValueWriter, more: Partial<PostgresType> = {}) => {
    const type = {
      oid,
      name,
      format,
      parameter: "other",
      write,
      writeInside: write,
      element: undefined,
      ...more,
    } as const;
    types.set(oid, type);
    return type;
  };
  const addWithArray = (arrayOid: number, type: PostgresType): void => {
    if (arrayOid !== 0) {
      add(`_${type.name}`, arrayOid, BINARY, arrayOf(type.writeInside), { element: type });
    }
  };
  for (const [name, oid, arrayOid, format, parameter, write, writeInside = write] of SCALARS) {
    addWithArray(arrayOid, add(name, oid, format, write, { parameter, writeInside }));
  }
  for (const [name, oid, arrayOid, multiName, multiOid, boundOid] of RANGES) {
    const write = rangeOf(types.get(boundOid)?.write ?? writeBytes);
    addWithArray(arrayOid, add(name, oid, BINARY, write));
    add(multiName, multiOid, BINARY, multirangeOf(write));
  }
  for (const [name, oid, arrayOid] of TEXT_ONLY) {
    const element = add(name, oid, TEXT, writeText, { parameter: "text" });
    add(`_${name}`, arrayOid, TEXT, writeTextArray, { element });
  }
  const writerInside = (oid: number): ValueWriter | undefined => types.get(oid)?.writeInside;
  addWithArray(RECORD_ARRAY_OID, add("record", RECORD_OID, BINARY, recordOf(writerInside)));
  return types;
}

/** By OID. Types that are not here (enums, composites, extensions) travel as text. */
export const POSTGRES_TYPES: ReadonlyMap<number, PostgresType> = typeTable();
