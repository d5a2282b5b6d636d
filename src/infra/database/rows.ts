/**
 * Reads rows of plain SQL as objects of a Prisma model, for queries that every screen waits for. Prisma takes several
 * times as much CPU time.
 */

/** The columns of a model's fields: `c.created_at` for `createdAt`. */
export function columnsOf(table: string, fields: readonly string[]): string[] {
  return fields.map((field) => `${table}.${columnOf(field)}`)
}

/** The same for a list of what to select, named apart from the columns of other tables: `c.created_at AS c_created_at`. */
export function namedColumnsOf(table: string, fields: readonly string[]): string[] {
  return fields.map((field) => `${table}.${columnOf(field)} AS ${table}_${columnOf(field)}`)
}

function columnOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** Reads the values of one row from left to right. */
export class RowReader {
  readonly #row: readonly unknown[]
  #at: number

  /** @param at the index of the first value */
  constructor(row: readonly unknown[], at = 0) {
    this.#row = row
    this.#at = at
  }

  /** An object of the next values. The statement must select the columns of the fields in this order. */
  take<Shape>(fields: readonly (keyof Shape & string)[]): Shape {
    const shape: Partial<Record<string, unknown>> = {}
    for (const field of fields) shape[field] = this.#row[this.#at++]
    return shape as Shape
  }
}
