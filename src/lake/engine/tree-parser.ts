import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';

/** DuckDB's own parser. It reads any text as data, and runs none of it. */
export class TreeParser {
  private readonly connection: DuckDBConnection;
  /** Not in use: a prepared one holds the text of one caller only. */
  private readonly idle: DuckDBPreparedStatement[] = [];

  constructor(connection: DuckDBConnection) {
    this.connection = connection;
  }

  /** The tree of a text of SELECT statements, or what is wrong with it, as JSON. */
  async parse(sql: string): Promise<string> {
    const prepared =
      this.idle.pop() ?? (await this.connection.prepare('SELECT json_serialize_sql($1::VARCHAR)'));
    try {
      prepared.bindVarchar(1, sql);
      const chunk = await (await prepared.run()).fetchChunk();
      return String(chunk?.getColumnVector(0).getItem(0));
    } finally {
      this.idle.push(prepared);
    }
  }
}
