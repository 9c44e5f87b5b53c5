import { LAKE_COLUMNS } from '../../src/lake/files/schema.js';
import type { Column, ColumnType } from '../../src/rpl/column.js';

/** What each engine calls our types; a UUID has no name in a Hive table, nor in Spark. */
const TRINO: Partial<Record<ColumnType, string>> = {
  ...{ text: 'varchar', json: 'varchar', boolean: 'boolean', integer: 'integer', double: 'double' },
  ...{ uint64: 'decimal(20,0)', money: 'decimal(12,6)', timestamp: 'timestamp(6)' },
};
const SPARK: Partial<Record<ColumnType, string>> = {
  ...{ text: 'string', json: 'string', boolean: 'boolean', integer: 'int', double: 'double' },
  ...{ uint64: 'decimal(20,0)', money: 'decimal(12,6)', timestamp: 'timestamp' },
};

/** The parts of docs/engines.md that name every column. */
export function engineParts(): Map<string, string> {
  return new Map([
    ['spark', fenced('python', spark())],
    ['trino', fenced('sql', trino())],
  ]);
}

function spark(): string[] {
  return [
    'import json',
    '',
    'lake = "s3a://bucket/prefix/production"',
    'schema = """',
    ...wrapped(SPARK, '    '),
    '"""',
    'manifest = json.loads(spark.read.text(f"{lake}/_hx/manifest.json", wholetext=True).first().value)',
    'live = [f"{lake}/{file[\'name\']}" for file in manifest["compacted"]]',
    'checks = spark.read.schema(schema + ", dt date").option("basePath", lake).parquet(*live)',
    'checks.createOrReplaceTempView("checks")',
  ];
}

function trino(): string[] {
  return [
    'CREATE TABLE hive.hx.files (',
    ...wrapped(TRINO, '  ', ','),
    '  dt date',
    ')',
    "WITH (format = 'PARQUET', external_location = 's3://bucket/prefix/production/', partitioned_by = ARRAY['dt']);",
    '',
    "-- Again after each day's first export, as the table learns of new folders in no other way.",
    "CALL hive.system.sync_partition_metadata('hx', 'files', 'FULL');",
    '',
    'CREATE VIEW hive.hx.checks AS',
    'SELECT * FROM (',
    '  SELECT *, generation = max(generation) OVER (PARTITION BY dt) AS is_live',
    '  FROM (',
    `    SELECT *, CAST(regexp_extract("$path", '/c-s[0-9]+-([0-9]+)[.]parquet$', 1) AS bigint) AS generation`,
    '    FROM hive.hx.files',
    '  )',
    '  WHERE generation IS NOT NULL',
    ')',
    'WHERE is_live;',
  ];
}

/** Every column with the engine's type, several a line. */
function wrapped(types: Partial<Record<ColumnType, string>>, indent: string, end = ''): string[] {
  const columns = (LAKE_COLUMNS as readonly Column[]).flatMap(({ name, type }) => {
    const engineType = types[type];
    return engineType === undefined ? [] : [`${name} ${engineType}`];
  });
  const lines: string[] = [];
  let line = '';
  for (const [index, column] of columns.entries()) {
    const item = index === columns.length - 1 ? column : `${column},`;
    if (line !== '' && line.length + item.length > 100) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? indent + item : ` ${item}`;
  }
  return [...lines, `${line}${end}`];
}

function fenced(language: string, lines: readonly string[]): string {
  return [`\`\`\`${language}`, ...lines, '```'].join('\n');
}
