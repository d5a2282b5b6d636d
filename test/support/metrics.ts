import type { TestGudDesk } from './guddesk.ts'

/** For servers whose metrics a test reads. */
export const METRICS_TOKEN = 'a-token-for-prometheus'

/** What Prometheus gets. */
export function scrape({ origin }: Pick<TestGudDesk, 'origin'>): Promise<Response> {
  return fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })
}

/** The value of a metric without labels; NaN where there is none. */
export async function metric(node: Pick<TestGudDesk, 'origin'>, name: string): Promise<number> {
  const lines = (await (await scrape(node)).text()).split('\n')
  return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length) ?? Number.NaN)
}
