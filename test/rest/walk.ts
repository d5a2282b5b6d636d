import type { TestGudDesk } from '../support/guddesk.ts'

export interface Walked {
  readonly id: string
}

export interface WalkOptions {
  readonly key?: string
  readonly limit: number
  /** Runs between two pages. */
  readonly between?: (seen: readonly Walked[]) => Promise<void>
}

/** Follows nextCursor to the end. */
export async function walk(
  guddesk: TestGudDesk,
  path: string,
  { key = guddesk.tenant.key, limit, between }: WalkOptions,
): Promise<Walked[]> {
  const seen: Walked[] = []
  let cursor: string | null = null
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const url: string = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${after}`
    const { status, body } = await guddesk.call('GET', url, undefined, { key })
    if (status !== 200) throw new Error(`GET ${url}: ${JSON.stringify(body)}`)
    if (body.meta.cursor !== body.meta.nextCursor) throw new Error('meta.cursor does not repeat meta.nextCursor')
    if (body.data.length > limit) throw new Error(`${body.data.length} rows for a limit of ${limit}`)
    seen.push(...body.data)
    cursor = body.meta.nextCursor
    if (cursor !== null) await between?.(seen)
    if (seen.length > 5000) throw new Error('the walk does not end')
  } while (cursor !== null)
  return seen
}

export function idsOf(rows: readonly Walked[]): string[] {
  return rows.map(({ id }) => id)
}
