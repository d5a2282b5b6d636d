import type { Database } from '../../../src/infra/database/db.ts'

let triggers = 0

/**
 * Makes the database refuse a change of some rows, as a constraint or a damaged row does.
 * @param when an SQL condition on NEW or OLD
 * @returns lets them be changed again
 */
export async function refuseRows(
  { sql }: Pick<Database, 'sql'>,
  change: 'INSERT' | 'UPDATE' | 'DELETE',
  table: string,
  when: string,
): Promise<() => Promise<void>> {
  const name = `refuse_${++triggers}`
  await sql(`CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'this row is refused' USING ERRCODE = '22023'; END $$`)
  await sql(
    `CREATE TRIGGER ${name} BEFORE ${change} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION ${name}()`,
  )
  return async () => {
    await sql(`DROP FUNCTION IF EXISTS ${name} CASCADE`)
  }
}
